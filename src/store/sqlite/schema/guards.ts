/** Whether what the order of the log rests on is whole. */
import { EvstoreError } from '../../../domain/errors.js';
import { readMigrations, type SqlFolder } from '../../shared/sql.js';
import type { Database, Session } from '../connection/database.js';
import { quoteIdentifier } from '../connection/literals.js';
import { toText } from '../connection/rows.js';

/** A sentence each. */
export async function findBrokenGuards(database: Database, sql: SqlFolder): Promise<readonly string[]> {
  const rows = await database.read((session) => session.query(sql('guards')));
  return rows.map(([text]) => toText(text));
}

/** @throws E_UNSAFE_STORE naming what is not */
export async function assertGuards(database: Database, sql: SqlFolder): Promise<void> {
  const broken = await findBrokenGuards(database, sql);
  const [first] = broken;
  if (first === undefined) return;
  throw new EvstoreError('E_UNSAFE_STORE', `the store cannot be read in order: ${first}`, {
    why:
      broken.length === 1
        ? 'Reading on could skip or reorder events without anybody noticing.'
        : `Also: ${broken.slice(1).join('; ')}. Reading on could skip or reorder events without anybody noticing.`,
    next: 'evstore doctor',
    details: { broken },
  });
}

/** They look at every row that comes in. */
const insertGuards: readonly string[] = ['evstore_order', 'evstore_no_replace'];

/**
 * Takes the guards of inserts off the log for the rest of a transaction that has the write lock, inserts plainly, and
 * puts them back with what is returned: nobody else ever sees the log without them, and a rollback brings them back.
 * With any trigger on the log that is not as the migrations made it they stay, because what it does is theirs to look at.
 */
export function liftInsertGuards(session: Session, sql: SqlFolder): () => void {
  const triggers = session.query(sql('triggers')).map(([name, text]) => ({ name: toText(name), text: toText(text) }));
  const made = migrationTexts();
  if (!triggers.every(({ text }) => made.includes(withoutVerb(text)))) return () => {};
  const guards = triggers.filter(({ name }) => insertGuards.includes(name));
  for (const { name } of guards) session.execute(`drop trigger ${quoteIdentifier(name)}`);
  return () => {
    for (const { text } of guards) session.execute(text);
  };
}

let texts: string | undefined;

function migrationTexts(): string {
  texts ??= readMigrations(new URL('./migrations/', import.meta.url))
    .map((file) => withoutVerb(file.readText().replaceAll('\r\n', '\n')))
    .join('\n');
  return texts;
}

/** SQLite keeps a text as it was said, but for its first words. */
function withoutVerb(text: string): string {
  return text.replaceAll(/^create trigger /gim, 'trigger ');
}

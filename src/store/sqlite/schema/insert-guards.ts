/** Takes the guards of inserts off the log while many events are imported. */
import { readMigrations } from '../../shared/migrations.js';
import { toText } from '../../shared/rows.js';
import type { Session } from '../connection/database.js';
import { quoteIdentifier } from '../connection/literals.js';

/** Triggers that look at every inserted row. */
const insertGuards: readonly string[] = ['evstore_order', 'evstore_no_replace', 'evstore_versions'];

/**
 * Drops the guards of inserts within a transaction that has the write lock, and returns what puts them back before the
 * commit: no other connection sees the log without them, and a rollback brings them back. They stay when the log has a
 * trigger that the migrations did not make, because they must check what it does.
 */
export function liftInsertGuards(session: Session): () => void {
  const triggers = session.ask('triggers').map(([name, text]) => ({ name: toText(name), text: toText(text) }));
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
    .map((file) => withoutVerb(file.readText()))
    .join('\n');
  return texts;
}

/** SQLite keeps the text of a statement as it was written, except for its first words. */
function withoutVerb(text: string): string {
  return text.replaceAll(/^create trigger /gim, 'trigger ');
}

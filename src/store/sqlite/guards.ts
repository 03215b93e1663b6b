/** Whether what the order of the log rests on is whole. */
import { EvstoreError } from '../../domain/errors.js';
import type { SqlFolder } from '../sql.js';
import type { Database, Session } from './database.js';
import { quoteIdentifier } from './identifier.js';
import { toText } from './rows.js';

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

/**
 * Inserts many rows without the guards that look at each of them: they take as long as the insert itself. The work is to
 * keep what they keep: plain inserts, at positions that the store assigns. Whoever else writes waits for the transaction,
 * at whose end they are back, letter by letter; what ends it early leaves them where they were.
 */
export function withoutRowGuards<T>(session: Session, sql: SqlFolder, work: () => T): T {
  const guards = session.query(sql('row-guards'));
  for (const [name] of guards) session.execute(`drop trigger ${quoteIdentifier(toText(name))}`);
  const result = work();
  for (const [, text] of guards) session.execute(toText(text));
  return result;
}

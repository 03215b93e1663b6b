/** Whether what the order of the log rests on is whole. */
import { EvstoreError } from '../../../domain/errors.js';
import type { SqlFolder } from '../../shared/sql.js';
import type { Database } from '../connection/database.js';
import { toText } from '../connection/rows.js';

/** A sentence each. */
export async function findBrokenGuards(database: Database, sql: SqlFolder): Promise<readonly string[]> {
  const rows = await database.query(sql('guards'));
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

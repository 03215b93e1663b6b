/** Inspects the log for what its readers rely on, and counts events so that a cursor can be checked. */
import type { AuditFilter, Tally } from '../../../domain/audit.js';
import { maxOrdinaryBytes } from '../../../domain/limits.js';
import { toInspection } from '../../shared/inspection.js';
import { toInteger, toOptional } from '../../shared/rows.js';
import type { Inspection } from '../../store.js';
import type { Database, Session } from '../connection/database.js';
import { addFilter } from '../connection/filter.js';

/** Takes a few tens of milliseconds, in which nothing else runs. */
const sliceEvents = 4_000;

export async function* inspectLog(database: Database): AsyncGenerator<Inspection> {
  const to = toInteger((await database.read((session) => session.ask('head')))[0]?.[0]);
  for (let after = 0; after < to; ) {
    const slice = await database.read((session) => inspectSlice(session, after, to));
    if (slice === undefined) return;
    yield slice;
    after = slice.upTo;
  }
}

function inspectSlice(session: Session, after: number, to: number): Inspection | undefined {
  const [row] = session.ask('inspect-slice', [after, to, sliceEvents, maxOrdinaryBytes]);
  const upTo = toOptional(row?.[0], toInteger);
  if (row === undefined || upTo === null) return undefined;
  const breaks = session.ask('inspect-breaks', [after, upTo]);
  return toInspection(to, row, breaks);
}

export async function tally(
  database: Database,
  { after, to }: { readonly after: number; readonly to: number },
  filter: AuditFilter,
): Promise<Tally> {
  const statement = addFilter({ text: database.sql('tally'), parameters: [after, to] }, filter);
  const [row] = await database.read((session) => session.query(statement.text, statement.parameters));
  return { events: toInteger(row?.[0]), idSum: BigInt(toInteger(row?.[1])) };
}

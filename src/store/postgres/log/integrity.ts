/** Inspects the log for what its readers rely on, and counts events so that a cursor can be checked. */
import type { AuditFilter, Tally } from '../../../domain/audit.js';
import { maxOrdinaryBytes } from '../../../domain/limits.js';
import { toInspection } from '../../shared/inspection.js';
import { toInteger, toOptional, toText } from '../../shared/rows.js';
import type { Inspection } from '../../store.js';
import type { Database } from '../connection/database.js';
import { addFilter } from '../connection/filter.js';

/** Takes about half a second. */
const sliceEvents = 50_000;
/** A slice looks up its neighbours by index. With the usual costs, Postgres would scan the table each time. */
const cheapLookups = 'set local random_page_cost = 0.3; set local jit = off';

export async function* inspectLog(database: Database): AsyncGenerator<Inspection> {
  const to = toInteger((await database.ask('head'))[0]?.[0]);
  for (let after = 0; after < to; ) {
    const [row] = await database.ask('inspect-slice', [after, to, sliceEvents, maxOrdinaryBytes]);
    const upTo = toOptional(row?.[0], toInteger);
    if (row === undefined || upTo === null) return;
    const range = [after, upTo];
    const breaks = await database.transaction((session) => session.ask('inspect-breaks', range), {
      prelude: cheapLookups,
    });
    yield toInspection(to, row, breaks);
    after = upTo;
  }
}

export async function tally(
  database: Database,
  { after, to }: { readonly after: number; readonly to: number },
  filter: AuditFilter,
): Promise<Tally> {
  const statement = addFilter({ text: database.sql('tally'), parameters: [after, to] }, filter);
  const [row] = await database.query(statement.text, statement.parameters);
  return { events: toInteger(row?.[0]), idSum: BigInt(toText(row?.[1])) };
}

/** Whether the log is what its readers rely on, and whether a cursor was given all of it. */
import type { AuditFilter, Tally } from '../../../domain/audit.js';
import { EvstoreError } from '../../../domain/errors.js';
import { maxOrdinaryBytes } from '../../../domain/limits.js';
import type { SqlFolder } from '../../shared/sql.js';
import type { Break, Inspection } from '../../store.js';
import type { Database, RawRow } from '../connection/database.js';
import { addFilter } from '../connection/filter.js';
import { toInteger, toOptional, toText } from '../connection/rows.js';

/** Half a second's work. */
const sliceEvents = 50_000;
/** A slice looks up its neighbours by index. Priced as usual, it would read the whole table each time. */
const cheapLookups = 'set local random_page_cost = 0.3; set local jit = off';

export async function* inspectLog(database: Database, sql: SqlFolder): AsyncGenerator<Inspection> {
  const to = toInteger((await database.query(sql('head')))[0]?.[0]);
  for (let after = 0; after < to; ) {
    const [row] = await database.query(sql('inspect-slice'), [after, to, sliceEvents, maxOrdinaryBytes]);
    const upTo = toOptional(row?.[0], toInteger);
    if (row === undefined || upTo === null) return;
    const range = [after, upTo];
    const breaks = await database.transaction((session) => session.query(sql('inspect-breaks'), range), {
      prelude: cheapLookups,
    });
    yield { upTo, to, ...toCounts(row), breaks: breaks.map(toBreak) };
    after = upTo;
  }
}

export async function tally(
  database: Database,
  sql: SqlFolder,
  { after, to }: { readonly after: number; readonly to: number },
  filter: AuditFilter,
): Promise<Tally> {
  const statement = addFilter({ text: sql('tally'), parameters: [after, to] }, filter);
  const [row] = await database.query(statement.text, statement.parameters);
  return { events: toInteger(row?.[0]), idSum: BigInt(toText(row?.[1])) };
}

function toCounts(row: RawRow): Pick<Inspection, 'events' | 'oversized' | 'uncorrelated'> {
  return {
    events: toInteger(row[1]),
    oversized: { events: toInteger(row[2]), first: toOptional(row[3], toInteger) },
    uncorrelated: { events: toInteger(row[4]), first: toOptional(row[5], toInteger) },
  };
}

function toBreak(row: RawRow): Break {
  return {
    kind: toKind(toText(row[0])),
    streamId: toText(row[1]),
    version: toInteger(row[2]),
    globalPosition: toInteger(row[3]),
    id: toText(row[4]),
    other: toOptional(row[5], toInteger),
  };
}

const kinds = ['missing-version', 'wrong-order', 'duplicate-version', 'duplicate-id'] as const;

function toKind(text: string): Break['kind'] {
  const kind = kinds.find((known) => known === text);
  if (kind === undefined) throw new EvstoreError('E_BUG', `unknown kind of break: ${text}`);
  return kind;
}

/** Whether the log is what its readers rely on, and whether a cursor was given all of it. */
import type { AuditFilter, Tally } from '../../../domain/audit.js';
import { EvstoreError } from '../../../domain/errors.js';
import { maxOrdinaryBytes } from '../../../domain/limits.js';
import type { SqlFolder } from '../../shared/sql.js';
import type { Break, Inspection } from '../../store.js';
import type { Database, RawRow, Session } from '../connection/database.js';
import { addFilter } from '../connection/filter.js';
import { toInteger, toOptional, toText } from '../connection/rows.js';

/** A few tens of milliseconds: nothing else runs meanwhile. */
const sliceEvents = 4_000;

export async function* inspectLog(database: Database, sql: SqlFolder): AsyncGenerator<Inspection> {
  const to = toInteger((await database.read((session) => session.query(sql('head'))))[0]?.[0]);
  for (let after = 0; after < to; ) {
    const slice = await database.read((session) => inspectSlice(session, sql, after, to));
    if (slice === undefined) return;
    yield slice;
    after = slice.upTo;
  }
}

function inspectSlice(session: Session, sql: SqlFolder, after: number, to: number): Inspection | undefined {
  const [row] = session.query(sql('inspect-slice'), [after, to, sliceEvents, maxOrdinaryBytes]);
  const upTo = toOptional(row?.[0], toInteger);
  if (row === undefined || upTo === null) return undefined;
  const breaks = session.query(sql('inspect-breaks'), [after, upTo]);
  return { upTo, to, ...toCounts(row), breaks: breaks.map(toBreak) };
}

export async function tally(
  database: Database,
  sql: SqlFolder,
  { after, to }: { readonly after: number; readonly to: number },
  filter: AuditFilter,
): Promise<Tally> {
  const statement = addFilter({ text: sql('tally'), parameters: [after, to] }, filter);
  const [row] = await database.read((session) => session.query(statement.text, statement.parameters));
  return { events: toInteger(row?.[0]), idSum: BigInt(toInteger(row?.[1])) };
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

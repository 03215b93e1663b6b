/** Appending to one stream: insert first, look at the facts only when that failed. */
import { type AppendFacts, type AppendRequest, decideOutcome, isSatisfied } from '../../../domain/append-outcome.js';
import { EvstoreError } from '../../../domain/errors.js';
import type { AppendedEvent, AppendResult, NewEvent } from '../../../domain/event.js';
import { categoryOf } from '../../../domain/names.js';
import { storedTimestamp } from '../../../domain/timestamp.js';
import { selectInline } from '../../inline.js';
import type { SqlFolder } from '../../shared/sql.js';
import type { AppendOptions, InlineProjection } from '../../store.js';
import type { Database, Parameter, Session } from '../connection/database.js';
import { isConflict, isHandlerError } from '../connection/errors.js';
import { toInteger, toText } from '../connection/rows.js';
import { applyInline, lockInline } from './inline.js';

const defaultTimeoutMs = 30_000;

export async function append(
  database: Database,
  sql: SqlFolder,
  request: AppendRequest,
  options: AppendOptions = {},
): Promise<AppendResult> {
  database.assertWritable();
  const inline = selectInline(options.inline ?? [], request);
  const deadline = Date.now() + (options.timeoutMs ?? defaultTimeoutMs);
  do {
    const result = await attempt(database, sql, request, inline, Math.max(0, deadline - Date.now()));
    if (result !== 'retry') return result;
  } while (Date.now() < deadline);
  throw new EvstoreError('E_TIMEOUT', `could not append to ${request.streamId} in time: too many rivals`);
}

async function attempt(
  database: Database,
  sql: SqlFolder,
  request: AppendRequest,
  inline: readonly InlineProjection[],
  timeoutMs: number,
): Promise<AppendResult | 'retry'> {
  try {
    const result = await database.transaction((session) => insertInline(session, sql, request, inline), timeoutMs);
    if (result !== 'unsatisfied') return result;
  } catch (error) {
    // A unique index of a read model is no id that is known.
    if (isHandlerError(error) || !isConflict(error)) throw error;
  }
  const outcome = decideOutcome(request, await database.read((session) => readFacts(session, sql, request)));
  if (outcome.kind === 'error') throw outcome.error;
  return outcome.kind === 'duplicate' ? outcome.result : 'retry';
}

/** The events, the rows of the projections and their marks in one transaction. */
function insertInline(
  session: Session,
  sql: SqlFolder,
  request: AppendRequest,
  inline: readonly InlineProjection[],
): AppendResult | 'unsatisfied' {
  const current = inline.length === 0 ? inline : lockInline(session, sql, inline);
  const appended = insert(session, sql, request);
  if (appended !== 'unsatisfied') applyInline(session, sql, current, appended);
  return appended;
}

function insert(session: Session, sql: SqlFolder, request: AppendRequest): AppendResult | 'unsatisfied' {
  const { streamId, events, expected } = request;
  const actual = toInteger(session.query(sql('stream-version'), [streamId])[0]?.[0]);
  if (!isSatisfied(expected, actual)) return 'unsatisfied';
  const statement = sql('append');
  const appended = events.map((event, place): AppendedEvent => {
    const version = actual + 1 + place;
    const { lastInsertRowid } = session.run(statement, eventColumns(streamId, event, version));
    return { id: event.id.toLowerCase(), version, globalPosition: toInteger(Number(lastInsertRowid)) };
  });
  const last = appended.at(-1);
  if (last === undefined) throw new EvstoreError('E_BUG', 'an append of no events reached the store');
  const { version, globalPosition } = last;
  return { streamId, events: appended, version, globalPosition, deduplicated: false };
}

/** Parameters of append.sql. */
export function eventColumns(streamId: string, event: NewEvent, version: number): readonly Parameter[] {
  return [
    event.id.toLowerCase(),
    streamId,
    event.streamType ?? categoryOf(streamId),
    event.type,
    event.schemaVersion,
    event.data,
    event.metadata,
    version,
    event.createdAt === undefined ? null : storedTimestamp(event.createdAt),
  ];
}

function readFacts(session: Session, sql: SqlFolder, { streamId, events }: AppendRequest): AppendFacts {
  const ids = JSON.stringify(events.map((event) => event.id));
  const rows = session.query(sql('append-facts'), [streamId, ids]);
  const known = rows
    .filter(([kind]) => kind === 'known')
    .map((row) => ({
      id: toText(row[1]).toLowerCase(),
      streamId: toText(row[2]),
      version: toInteger(row[3]),
      globalPosition: toInteger(row[4]),
      type: toText(row[5]),
      data: toText(row[6]),
      metadata: toText(row[7]),
    }));
  const lastEvents = rows
    .filter(([kind]) => kind === 'last')
    .map((row) => ({ version: toInteger(row[3]), type: toText(row[5]), id: toText(row[1]).toLowerCase() }))
    .sort((a, b) => a.version - b.version);
  return { actualVersion: lastEvents.at(-1)?.version ?? 0, known, lastEvents };
}

/** Appends to one stream: inserts first, and reads the facts only when that failed. */
import { type AppendRequest, decideOutcome, isSatisfied } from '../../../domain/append-outcome.js';
import type { AppendedEvent, AppendResult, NewEvent } from '../../../domain/event.js';
import { categoryOf } from '../../../domain/names.js';
import { storedTimestamp } from '../../../domain/timestamp.js';
import { toAppendFacts, toAppendResult, tooManyRivals } from '../../shared/append.js';
import { isHandlerError } from '../../shared/errors.js';
import { findLeft, selectInline, withLeft } from '../../shared/inline.js';
import { toInteger } from '../../shared/rows.js';
import type { AppendOptions, InlineProjection } from '../../store.js';
import type { Database, Session } from '../connection/database.js';
import { isConflict } from '../connection/errors.js';
import type { Parameter } from '../connection/values.js';
import { applyInline, lockInline } from './inline.js';

const defaultTimeoutMs = 30_000;

export async function append(
  database: Database,
  request: AppendRequest,
  options: AppendOptions = {},
): Promise<AppendResult> {
  database.assertWritable();
  const inline = selectInline(options.inline ?? [], request);
  const deadline = Date.now() + (options.timeoutMs ?? defaultTimeoutMs);
  do {
    const result = await attempt(database, request, inline, options, Math.max(0, deadline - Date.now()));
    if (result !== 'retry') return result;
  } while (Date.now() < deadline);
  throw tooManyRivals(request.streamId);
}

async function attempt(
  database: Database,
  request: AppendRequest,
  inline: readonly InlineProjection[],
  options: AppendOptions,
  timeoutMs: number,
): Promise<AppendResult | 'retry'> {
  try {
    const result = await database.transaction((session) => insertInline(session, request, inline, options), timeoutMs);
    if (result !== 'unsatisfied') return result;
  } catch (error) {
    // A unique index of a read model says nothing about the ids of events.
    if (isHandlerError(error) || !isConflict(error)) throw error;
  }
  const parameters = [request.streamId, JSON.stringify(request.events.map(({ id }) => id))];
  const facts = toAppendFacts(await database.read((session) => session.ask('append-facts', parameters)));
  const outcome = decideOutcome(request, facts);
  if (outcome.kind === 'error') throw outcome.error;
  return outcome.kind === 'duplicate' ? outcome.result : 'retry';
}

/** The events, the rows of the projections and their marks in one transaction. */
function insertInline(
  session: Session,
  request: AppendRequest,
  inline: readonly InlineProjection[],
  options: AppendOptions,
): AppendResult | 'unsatisfied' {
  const choice = inline.length === 0 ? { current: [], others: [] } : lockInline(session, inline);
  const left = findLeft(request.streamId, choice, options);
  const appended = insert(session, request);
  if (appended === 'unsatisfied') return appended;
  applyInline(session, choice.current, appended);
  return withLeft(appended, left);
}

function insert(session: Session, request: AppendRequest): AppendResult | 'unsatisfied' {
  const { streamId, events, expected } = request;
  const actual = toInteger(session.ask('stream-version', [streamId])[0]?.[0]);
  if (!isSatisfied(expected, actual)) return 'unsatisfied';
  const statement = session.sql('append');
  const appended = events.map((event, place): AppendedEvent => {
    const version = actual + 1 + place;
    const { lastInsertRowid } = session.run(statement, eventColumns(streamId, event, version));
    return { id: event.id.toLowerCase(), version, globalPosition: toInteger(Number(lastInsertRowid)) };
  });
  return toAppendResult(request, appended);
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

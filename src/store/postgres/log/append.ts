/** Appending to one stream: insert first, look at the facts only when that failed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type AppendFacts, decideOutcome } from '../../../domain/append-outcome.js';
import { EvstoreError } from '../../../domain/errors.js';
import type { AppendResult, ExpectedVersion, NewEvent } from '../../../domain/event.js';
import { categoryOf } from '../../../domain/names.js';
import { selectInline } from '../../inline.js';
import type { SqlFolder } from '../../shared/sql.js';
import type { AppendOptions, InlineProjection } from '../../store.js';
import { type Database, lockTimeout, type Parameter, type RawRow, type Session } from '../connection/database.js';
import {
  isConflict,
  isConnectionLost,
  isConnectionRefused,
  isHandlerError,
  isTransient,
  isUnsent,
} from '../connection/errors.js';
import { toInteger, toText } from '../connection/rows.js';
import { searchPath } from '../schema/schema-name.js';
import { applyInline, lockInline } from './inline.js';

const defaultTimeoutMs = 30_000;
const firstWaitMs = 10;
const longestWaitMs = 1000;

interface Request {
  readonly streamId: string;
  readonly events: readonly NewEvent[];
  readonly expected: ExpectedVersion;
}

/** Where its statements go. */
interface Place {
  readonly database: Database;
  readonly sql: SqlFolder;
  readonly schema: string;
}

export async function append(place: Place, request: Request, options: AppendOptions = {}): Promise<AppendResult> {
  const { database } = place;
  database.assertWritable();
  const inline = selectInline(options.inline ?? [], request);
  const deadline = Date.now() + (options.timeoutMs ?? defaultTimeoutMs);
  let isOutcomeUnknown = false;
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    let fault: unknown;
    try {
      const result = await attempt(place, request, inline, deadline);
      if (result !== 'retry') return result;
    } catch (error) {
      if (isHandlerError(error)) throw error;
      const isWrongPlace = isConnectionRefused(error) && !database.hasConnected;
      if (!isTransient(error) || isWrongPlace) throw error;
      if (isConnectionLost(error) && !isUnsent(error)) isOutcomeUnknown = true;
      fault = error;
    }
    const pauseMs = waitMs * (0.5 + Math.random());
    if (Date.now() + pauseMs >= deadline) throw outOfTime(request, isOutcomeUnknown, fault);
    await sleep(pauseMs);
  }
}

async function attempt(
  place: Place,
  request: Request,
  inline: readonly InlineProjection[],
  deadline: number,
): Promise<AppendResult | 'retry'> {
  const { database, sql } = place;
  try {
    return inline.length === 0
      ? await insert((...call) => database.queryAgain(...call), sql, request, deadline - Date.now())
      : await insertInline(place, request, inline, deadline);
  } catch (error) {
    // A unique index of a read model is no id that is known.
    if (isHandlerError(error) || !isConflict(error)) throw error;
  }
  const outcome = decideOutcome(request, await readFacts(database, sql, request, deadline - Date.now()));
  if (outcome.kind === 'error') throw outcome.error;
  return outcome.kind === 'duplicate' ? outcome.result : 'retry';
}

/** The events, the rows of the projections and their marks in one transaction. */
async function insertInline(
  { database, sql, schema }: Place,
  request: Request,
  inline: readonly InlineProjection[],
  deadline: number,
): Promise<AppendResult> {
  const leftMs = () => deadline - Date.now();
  return database.transaction(
    async (session) => {
      const timed: Session = { ...session, query: (text, parameters) => session.query(text, parameters, leftMs()) };
      // Before a position is drawn, so that those who wait for each other here take positions in the order they write.
      const current = await lockInline(timed, sql, inline);
      const appended = await insert(session.query, sql, request, leftMs());
      await applyInline(timed, sql, schema, current, appended);
      return appended;
    },
    // As in evstore_append: every look-up is by a key, whatever the statistics of a table that was empty say.
    { prelude: `${lockTimeout(leftMs())}; ${searchPath(schema)}; set local enable_seqscan = off` },
  );
}

type Ask = (text: string, parameters: readonly Parameter[], timeoutMs: number) => Promise<readonly RawRow[]>;

async function insert(ask: Ask, sql: SqlFolder, request: Request, timeoutMs: number): Promise<AppendResult> {
  const { streamId, events } = request;
  const places =
    events.length === 1
      ? await insertOne(ask, sql, request, timeoutMs)
      : await insertMany(ask, sql, request, timeoutMs);
  const appended = places.map(([version, globalPosition], place) => ({
    id: (events[place]?.id ?? '').toLowerCase(),
    version: toInteger(version),
    globalPosition: toInteger(globalPosition),
  }));
  const last = appended.at(-1);
  if (last === undefined) throw new EvstoreError('E_BUG', 'an append of no events reached the store');
  const { version, globalPosition } = last;
  return { streamId, events: appended, version, globalPosition, deduplicated: false };
}

async function insertOne(
  ask: Ask,
  sql: SqlFolder,
  { streamId, events: [event], expected }: Request,
  timeoutMs: number,
): Promise<readonly RawRow[]> {
  if (event === undefined) return [];
  const { id, type, schemaVersion, data, metadata, streamType = categoryOf(streamId), createdAt = null } = event;
  const parameters = [
    streamId,
    expectedNumber(expected),
    id,
    type,
    schemaVersion,
    data,
    metadata,
    streamType,
    createdAt,
  ];
  const rows = await ask(sql('append-event'), parameters, timeoutMs);
  // `(version,position)`
  return rows.map(([row]) => toText(row).slice(1, -1).split(','));
}

function insertMany(
  ask: Ask,
  sql: SqlFolder,
  { streamId, events, expected }: Request,
  timeoutMs: number,
): Promise<readonly RawRow[]> {
  const ids = events.map((event) => event.id);
  const parameters = [streamId, expectedNumber(expected), ids, ...eventColumns(events, () => streamId)];
  return ask(sql('append'), parameters, timeoutMs);
}

/** Types, schema versions, data, metadata, stream types and times, as the functions of the schema take them. */
function eventColumns<E extends NewEvent>(events: readonly E[], streamOf: (event: E) => string): readonly Parameter[] {
  return [
    events.map((event) => event.type),
    events.map((event) => event.schemaVersion),
    events.map((event) => event.data),
    events.map((event) => event.metadata),
    events.map((event) => event.streamType ?? categoryOf(streamOf(event))),
    events.map((event) => event.createdAt ?? null),
  ];
}

function expectedNumber(expected: ExpectedVersion): number {
  if (expected === 'any') return -1;
  if (expected === 'exists') return -2;
  return expected === 'none' ? 0 : expected;
}

async function readFacts(
  database: Database,
  sql: SqlFolder,
  { streamId, events }: Request,
  timeoutMs: number,
): Promise<AppendFacts> {
  const rows = await database.query(sql('append-facts'), [streamId, events.map((event) => event.id)], timeoutMs);
  const known = rows
    .filter(([kind]) => kind === 'known')
    .map((row) => ({
      id: toText(row[1]),
      streamId: toText(row[2]),
      version: toInteger(row[3]),
      globalPosition: toInteger(row[4]),
      type: toText(row[5]),
      data: toText(row[6]),
      metadata: toText(row[7]),
    }));
  const lastEvents = rows
    .filter(([kind]) => kind === 'last')
    .map((row) => ({ version: toInteger(row[3]), type: toText(row[5]), id: toText(row[1]) }))
    .sort((a, b) => a.version - b.version);
  return { actualVersion: lastEvents.at(-1)?.version ?? 0, known, lastEvents };
}

function outOfTime({ streamId, events }: Request, isOutcomeUnknown: boolean, fault: unknown): unknown {
  if (!isOutcomeUnknown) {
    return fault ?? new EvstoreError('E_TIMEOUT', `could not append to ${streamId} in time: too many rivals`);
  }
  return new EvstoreError('E_OUTCOME_UNKNOWN', `nobody answered whether the append to ${streamId} was committed`, {
    why: 'The connection was lost after the statement was sent. Run the same command again with the same ids; it is safe.',
    details: { streamId, ids: events.map((event) => event.id) },
    cause: fault,
  });
}

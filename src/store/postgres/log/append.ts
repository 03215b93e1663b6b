/** Appends to one stream: inserts first, and reads the facts only when that failed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type AppendRequest, decideOutcome } from '../../../domain/append-outcome.js';
import { EvstoreError } from '../../../domain/errors.js';
import type { AppendResult, ExpectedVersion } from '../../../domain/event.js';
import { categoryOf } from '../../../domain/names.js';
import { toAppendFacts, toAppendResult, tooManyRivals } from '../../shared/append.js';
import { isHandlerError } from '../../shared/errors.js';
import { findLeft, selectInline, withLeft } from '../../shared/inline.js';
import { toInteger, toText } from '../../shared/rows.js';
import type { AppendOptions, InlineProjection } from '../../store.js';
import { type Database, lockTimeout, type Session } from '../connection/database.js';
import { isConflict, isConnectionLost, isUnsent } from '../connection/errors.js';
import type { Parameter, RawRow } from '../connection/values.js';
import { searchPath } from '../schema/schema-name.js';
import { applyInline, lockInline } from './inline.js';

const defaultTimeoutMs = 30_000;
const firstWaitMs = 10;
const longestWaitMs = 1000;

export async function append(
  database: Database,
  request: AppendRequest,
  options: AppendOptions = {},
): Promise<AppendResult> {
  database.assertWritable();
  const inline = selectInline(options.inline ?? [], request);
  const deadline = Date.now() + (options.timeoutMs ?? defaultTimeoutMs);
  let isOutcomeUnknown = false;
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    let fault: unknown;
    try {
      const result = await attempt(database, request, inline, options, deadline);
      if (result !== 'retry') return result;
    } catch (error) {
      if (isHandlerError(error) || !database.mayRetry(error)) throw error;
      if (isConnectionLost(error) && !isUnsent(error)) isOutcomeUnknown = true;
      fault = error;
    }
    const pauseMs = waitMs * (0.5 + Math.random());
    if (Date.now() + pauseMs >= deadline) throw outOfTime(request, isOutcomeUnknown, fault);
    await sleep(pauseMs);
  }
}

async function attempt(
  database: Database,
  request: AppendRequest,
  inline: readonly InlineProjection[],
  options: AppendOptions,
  deadline: number,
): Promise<AppendResult | 'retry'> {
  try {
    return inline.length === 0
      ? await insert((...call) => database.askAgain(...call), request, deadline - Date.now())
      : await insertInline(database, request, inline, options, deadline);
  } catch (error) {
    // A unique index of a read model says nothing about the ids of events.
    if (isHandlerError(error) || !isConflict(error)) throw error;
  }
  const parameters = [request.streamId, request.events.map(({ id }) => id)];
  const facts = toAppendFacts(await database.ask('append-facts', parameters, deadline - Date.now()));
  const outcome = decideOutcome(request, facts);
  if (outcome.kind === 'error') throw outcome.error;
  return outcome.kind === 'duplicate' ? outcome.result : 'retry';
}

/** The events, the rows of the projections and their marks in one transaction. */
async function insertInline(
  database: Database,
  request: AppendRequest,
  inline: readonly InlineProjection[],
  options: AppendOptions,
  deadline: number,
): Promise<AppendResult> {
  const leftMs = () => deadline - Date.now();
  return database.transaction(
    async (session) => {
      const timed: Session = {
        ...session,
        ask: (name, parameters) => session.ask(name, parameters, leftMs()),
        query: (text, parameters) => session.query(text, parameters, leftMs()),
      };
      const choice = await lockInline(timed, inline);
      const left = findLeft(request.streamId, choice, options);
      const appended = await insert(session.ask, request, leftMs());
      await applyInline(timed, choice.current, appended);
      return withLeft(appended, left);
    },
    // As in evstore_append: rows are always looked up by key, whatever the statistics of a formerly empty table suggest.
    { prelude: `${lockTimeout(leftMs())}; ${searchPath(database.schema)}; set local enable_seqscan = off` },
  );
}

type Ask = (name: string, parameters: readonly Parameter[], timeoutMs: number) => Promise<readonly RawRow[]>;

async function insert(ask: Ask, request: AppendRequest, timeoutMs: number): Promise<AppendResult> {
  const { events } = request;
  const places =
    events.length === 1
      ? await insertOne(ask, request, timeoutMs)
      : await ask('append', manyColumns(request), timeoutMs);
  const appended = places.map(([version, globalPosition], place) => ({
    id: (events[place]?.id ?? '').toLowerCase(),
    version: toInteger(version),
    globalPosition: toInteger(globalPosition),
  }));
  return toAppendResult(request, appended);
}

async function insertOne(
  ask: Ask,
  { streamId, events: [event], expected }: AppendRequest,
  timeoutMs: number,
): Promise<readonly RawRow[]> {
  if (event === undefined) return [];
  const { id, type, schemaVersion, data, metadata, streamType = categoryOf(streamId), createdAt = null } = event;
  const number = expectedNumber(expected);
  const parameters = [streamId, number, id, type, schemaVersion, data, metadata, streamType, createdAt];
  const rows = await ask('append-event', parameters, timeoutMs);
  // `(version,position)`
  return rows.map(([row]) => toText(row).slice(1, -1).split(','));
}

/** Parameters of append.sql. */
function manyColumns({ streamId, events, expected }: AppendRequest): readonly Parameter[] {
  return [
    streamId,
    expectedNumber(expected),
    events.map((event) => event.id),
    events.map((event) => event.type),
    events.map((event) => event.schemaVersion),
    events.map((event) => event.data),
    events.map((event) => event.metadata),
    events.map((event) => event.streamType ?? categoryOf(streamId)),
    events.map((event) => event.createdAt ?? ''),
  ];
}

function expectedNumber(expected: ExpectedVersion): number {
  if (expected === 'any') return -1;
  if (expected === 'exists') return -2;
  return expected === 'none' ? 0 : expected;
}

function outOfTime({ streamId, events }: AppendRequest, isOutcomeUnknown: boolean, fault: unknown): unknown {
  if (!isOutcomeUnknown) return fault ?? tooManyRivals(streamId);
  const what = `connection lost: the append to ${streamId} may or may not have been committed`;
  return new EvstoreError('E_OUTCOME_UNKNOWN', what, {
    why: 'No answer came after the statement was sent. Run the same command again with the same ids; it is safe.',
    details: { streamId, ids: events.map((event) => event.id) },
    cause: fault,
  });
}

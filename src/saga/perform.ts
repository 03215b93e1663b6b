/** Runs one action or compensation of the user's: within its time, and until the process is told to stop. */
import { scanJson } from '../domain/json.js';
import { JsonValueFault, parseJson, writeJson } from '../domain/json-value.js';
import { describeError, type FailureKind, outcomeUnknown } from './failures.js';

export type Outcome = Done | Failed | Interrupted;

interface Done {
  readonly kind: 'done';
  /** What it returned, as it will be read back from JSON. */
  readonly result: unknown;
}

interface Failed extends FailureKind {
  readonly kind: 'failed';
  readonly error: string;
  readonly timedOut: boolean;
  /** Of an act that still runs: settles when it ends, with its result if it succeeded. */
  readonly late?: Promise<LateSuccess | undefined>;
}

interface Interrupted {
  readonly kind: 'interrupted';
  readonly reason: string;
  readonly late?: Promise<LateSuccess | undefined>;
}

export interface LateSuccess {
  readonly result: unknown;
}

export interface Limits {
  readonly timeoutMs: number;
  /** How long an act that is told to end may take to end. */
  readonly graceMs: number;
  /** Tells it to end; its reason is passed on. */
  readonly stop: AbortSignal;
  readonly kindOf: (error: unknown) => FailureKind;
}

/** In bytes of JSON: results are kept in the saga's stream. */
const maxResultBytes = 262_144;
/** The longest delay that a timer takes. */
const maxTimerMs = 2_147_483_647;

export async function perform(act: (signal: AbortSignal) => unknown, limits: Limits): Promise<Outcome> {
  const { timeoutMs, graceMs, stop, kindOf } = limits;
  const controller = new AbortController();
  const ended = (async () => act(controller.signal))().then(
    toDone,
    (error: unknown): Failed => ({ kind: 'failed', error: describeError(error), timedOut: false, ...kindOf(error) }),
  );
  const first = await raceWith(ended, timeoutMs, stop);
  if (typeof first === 'object') return first;
  const isStopped = first === 'stopped';
  const reason = isStopped ? describeError(stop.reason) : `took longer than ${timeoutMs} ms`;
  controller.abort(isStopped ? stop.reason : new Error(`the step ${reason}`));
  const second = await raceWith(ended, graceMs);
  if (typeof second === 'object' && second.kind === 'done') return second;
  const late = typeof second === 'object' ? {} : { late: ended.then(toLateSuccess) };
  if (isStopped) return { kind: 'interrupted', reason, ...late };
  const { isCertain } = typeof second === 'object' && second.kind === 'failed' ? second : outcomeUnknown;
  return { kind: 'failed', error: reason, timedOut: true, isCertain, isFinal: false, ...late };
}

function toLateSuccess(outcome: Outcome): LateSuccess | undefined {
  return outcome.kind === 'done' ? { result: outcome.result } : undefined;
}

async function raceWith<Value extends object>(
  ended: Promise<Value>,
  ms: number,
  stop?: AbortSignal,
): Promise<Value | 'time up' | 'stopped'> {
  let timer: NodeJS.Timeout | undefined;
  let onStop = () => {};
  const timeUp = new Promise<'time up'>((resolve) => {
    timer = setTimeout(() => resolve('time up'), Math.min(ms, maxTimerMs));
  });
  const stopped = new Promise<'stopped'>((resolve) => {
    onStop = () => resolve('stopped');
    if (stop?.aborted) onStop();
    else stop?.addEventListener('abort', onStop, { once: true });
  });
  try {
    return await Promise.race([ended, timeUp, stopped]);
  } finally {
    clearTimeout(timer);
    stop?.removeEventListener('abort', onStop);
  }
}

/** @throws TypeError, saying what JSON cannot store */
export function toStored(value: unknown, what: string): unknown {
  try {
    const text = value === undefined ? 'null' : writeJson(value);
    if (text === undefined) throw new TypeError(`${what} is a ${typeof value}, which JSON cannot express`);
    if (Buffer.byteLength(text) > maxResultBytes) {
      throw new TypeError(`${what} is larger than ${maxResultBytes} bytes of JSON`);
    }
    const fault = scanJson(text);
    if (fault !== undefined) throw new TypeError(`${what} cannot be stored: ${fault.reason}`);
    return parseJson(text);
  } catch (error) {
    if (error instanceof JsonValueFault) throw new TypeError(`${what} takes ${error.message}`);
    throw error;
  }
}

/** The action took effect, or may have, and what it returned is lost. */
function toDone(value: unknown): Done | Failed {
  try {
    return { kind: 'done', result: toStored(value, 'its result') };
  } catch (error) {
    return { kind: 'failed', error: describeError(error), timedOut: false, ...outcomeUnknown };
  }
}

/** Runs one action or compensation of the user's, within its time. */
import { scanJson } from '../domain/json.js';

export type Outcome =
  /** What it returned, as it will be read back from JSON. */
  | { readonly kind: 'done'; readonly result: unknown }
  | {
      readonly kind: 'failed';
      readonly error: string;
      readonly timedOut: boolean;
      /** False when it may have taken effect all the same. */
      readonly certain: boolean;
      /** Of what ran out of time: settles when it does, with its result if it went through. */
      readonly late?: Promise<LateSuccess | undefined>;
    };

export interface LateSuccess {
  readonly result: unknown;
}

/** A result is kept in the saga's stream: bytes of its JSON. */
const maxResultBytes = 262_144;
const maxErrorCharacters = 1_000;
/** The longest a timer takes. */
const maxTimerMs = 2_147_483_647;

export async function perform(act: (signal: AbortSignal) => unknown, timeoutMs: number): Promise<Outcome> {
  const controller = new AbortController();
  const running = (async () => act(controller.signal))();
  const ended = running.then(toDone, (error) => failed(describeError(error), true));
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<'time up'>((resolve) => {
    timer = setTimeout(() => resolve('time up'), Math.min(timeoutMs, maxTimerMs));
  });
  const first = await Promise.race([ended, timeUp]);
  clearTimeout(timer);
  if (first !== 'time up') return first;
  controller.abort(new Error(`the step took longer than ${timeoutMs} ms`));
  const late = ended.then((outcome) => (outcome.kind === 'done' ? { result: outcome.result } : undefined));
  return { ...failed(`took longer than ${timeoutMs} ms`, false), timedOut: true, late };
}

/** The message of whatever was thrown, in a form every store takes. */
export function describeError(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text
    .slice(0, maxErrorCharacters)
    .replaceAll('\0', '\u{fffd}')
    .replace(/\p{Surrogate}/gu, '\u{fffd}');
}

function toDone(value: unknown): Outcome {
  try {
    const text = JSON.stringify(value) ?? 'null';
    if (Buffer.byteLength(text) > maxResultBytes) {
      return failed(`its result is larger than ${maxResultBytes} bytes of JSON`, false);
    }
    const fault = scanJson(text);
    if (fault !== undefined) return failed(`its result cannot be stored: ${fault.reason}`, false);
    return { kind: 'done', result: JSON.parse(text) };
  } catch (error) {
    return failed(`its result is not JSON: ${describeError(error)}`, false);
  }
}

function failed(error: string, certain: boolean): Outcome & { kind: 'failed' } {
  return { kind: 'failed', error, timedOut: false, certain };
}

/** Waits until a read model contains what a program wrote: reading one's own writes. */
import { checkMembers, checkSignal, checkText, checkWholeNumber } from '../domain/arguments.js';
import { EvstoreError } from '../domain/errors.js';
import type { Projection } from '../projection/define/definition.js';
import { waitForProjections } from '../projection/status/wait.js';
import type { Store } from '../store/store.js';

export interface WaitForOptions {
  /** Global position to wait for, such as that of the result of an append. Default: the head of the log. */
  readonly position?: number;
  /** The id of the event to wait for. Not together with `position`. */
  readonly event?: string;
  /** In milliseconds. Default 5,000. */
  readonly timeoutMs?: number;
  /** Ends the wait with its reason. */
  readonly signal?: AbortSignal;
}

const waitForOptions = {
  position: checkWholeNumber(0),
  event: checkText,
  timeoutMs: checkWholeNumber(0),
  signal: checkSignal,
};
const defaultTimeoutMs = 5_000;

export async function waitForProjection(
  store: Store,
  projection: string | Projection,
  options: WaitForOptions,
): Promise<number> {
  const name = checkText(typeof projection === 'object' ? projection?.name : projection, 'projection');
  const { position, event, timeoutMs, signal } = checkMembers(options, 'options', waitForOptions);
  if (position !== undefined && event !== undefined) {
    throw new EvstoreError('E_INVALID_INPUT', 'options has both position and event');
  }
  const [reached] = await waitForProjections({
    store,
    names: [name],
    position: position ?? (await findPosition(store, event)),
    timeoutMs: timeoutMs ?? defaultTimeoutMs,
    signal: signal ?? new AbortController().signal,
  });
  return reached?.position ?? 0;
}

async function findPosition({ log }: Store, id: string | undefined): Promise<number> {
  if (id === undefined) return (await log.head()).head;
  const found = await log.find(id);
  if (found !== undefined) return found.globalPosition;
  throw new EvstoreError('E_NOT_FOUND', `no event has the id ${id}`, { details: { id } });
}

/**
 * The sagas of the trial: four acts, a wait for an event and a sleep. How each instance ends is in its number, so that it
 * can be known from outside. What acts do outside the store is written down in a file, a line at the begin and a line at the
 * end of each.
 */
import { importOf } from './trial.js';

export const sagaName = 'trial_orders';
export const acts = ['reserve', 'charge', 'pack', 'ship'] as const;
export type Act = (typeof acts)[number];

/** Which act goes wrong, and how; how the instance ends then; and what may or must be done by then, and undone. */
interface Fate {
  readonly what: string;
  readonly end: 'completed' | 'compensated' | 'compensation-failed';
  /** Acts whose effect is certain. */
  readonly done: readonly Act[];
  /** Acts that may have taken effect, when an attempt was cut off. */
  readonly maybe: readonly Act[];
  readonly isPaid: boolean;
}

const all = acts;
const fates: readonly Fate[] = [
  { what: 'goes well', end: 'completed', done: all, maybe: [], isPaid: true },
  { what: 'is not paid', end: 'compensated', done: ['reserve'], maybe: [], isPaid: false },
  { what: 'charge is refused', end: 'compensated', done: ['reserve'], maybe: ['charge'], isPaid: true },
  { what: 'charge keeps losing its answer', end: 'compensated', done: ['reserve', 'charge'], maybe: [], isPaid: true },
  { what: 'pack fails once', end: 'completed', done: all, maybe: [], isPaid: true },
  {
    what: 'ship takes too long',
    end: 'compensated',
    done: ['reserve', 'charge', 'pack'],
    maybe: ['ship'],
    isPaid: true,
  },
  {
    what: 'ship fails at once',
    end: 'compensated',
    done: ['reserve', 'charge', 'pack'],
    maybe: ['ship'],
    isPaid: true,
  },
  { what: 'charge loses its answer once', end: 'completed', done: all, maybe: [], isPaid: true },
  {
    what: 'pack is undone the second time',
    end: 'compensated',
    done: ['reserve', 'charge', 'pack'],
    maybe: ['ship'],
    isPaid: true,
  },
  {
    what: 'reserve cannot be undone',
    end: 'compensation-failed',
    done: ['reserve', 'charge', 'pack'],
    maybe: ['ship'],
    isPaid: true,
  },
];

export function orderOf(number: number): string {
  return `Order-${number}`;
}

export function fateOf(order: string): Fate {
  const number = Number(order.slice('Order-'.length));
  return fates[number % fates.length] as Fate;
}

/** A line of the file: what was done outside the store. */
export interface Mark {
  readonly at: 'begin' | 'end';
  readonly key: string;
  readonly order: string;
  readonly act: Act;
  readonly isUndo: boolean;
  readonly attempt: number;
  readonly process: number;
}

/**
 * @param file of marks
 * @param trap a folder: whoever takes the file `do`, `undo` or `late` out of it while it acts, undoes, or has just acted is
 * killed there
 * @param timeout of the wait for the payment
 */
export function ordersCode(file: string, trap: string, timeout: string): string {
  return `${importOf('defineSaga', 'saga/definition')}${importOf('Final, NotApplied', 'saga/failures')}
import { appendFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const fateOf = (order) => Number(order.slice('Order-'.length)) % ${fates.length};
const mark = (at, act, isUndo, { idempotencyKey: key, instance: order, attempt }) =>
  appendFileSync(${JSON.stringify(file)}, JSON.stringify({ at, key, order, act, isUndo, attempt, process: process.pid }) + '\\n');
const dieIf = (name) => {
  try {
    rmSync(${JSON.stringify(trap)} + '/' + name);
  } catch {
    return;
  }
  process.kill(process.pid, 'SIGKILL');
};

async function take(act, context) {
  mark('begin', act, false, context);
  await sleep(Math.random() * 40);
  dieIf('do');
  const fate = fateOf(context.instance);
  if (act === 'charge' && fate === 2) throw new NotApplied('refused');
  if (act === 'pack' && fate === 4 && context.attempt === 1) throw new NotApplied('not now');
  if (act === 'ship' && fate === 5) return sleep(60_000, undefined, { signal: context.signal });
  if (act === 'ship' && [6, 8, 9].includes(fate)) throw new NotApplied('never', { final: true });
  mark('end', act, false, context);
  dieIf('late');
  if (act === 'charge' && (fate === 3 || (fate === 7 && context.attempt === 1))) throw new Error('the answer was lost');
  return { act };
}

async function undo(act, context) {
  mark('begin', act, true, context);
  await sleep(Math.random() * 40);
  dieIf('undo');
  const fate = fateOf(context.instance);
  if (act === 'pack' && fate === 8 && context.attempt === 1) throw new Error('not now');
  if (act === 'reserve' && fate === 9) throw new Final('never');
  mark('end', act, true, context);
}

const step = (act) => ({
  timeout: '1s',
  retries: 1,
  backOff: '100ms',
  action: (context) => take(act, context),
  compensate: (context) => undo(act, context),
});

export default defineSaga({ name: '${sagaName}', version: 1, startOn: 'OrderPlaced' })
  .step('reserve', step('reserve'))
  .waitFor('payment', { type: 'OrderPaid', match: (event) => event.data.order, timeout: '${timeout}' })
  .step('charge', step('charge'))
  .sleep('rest', '300ms')
  .step('pack', step('pack'))
  .step('ship', step('ship'));
`;
}

/** What the streams, the rows and the marks of the sagas of the trial say, beside what is known of each order. */
import { isDeepStrictEqual } from 'node:util';
import { parseJson } from '../../src/domain/json-value.js';
import { type SagaFact, sagaStreamId } from '../../src/saga/events.js';
import { loadInstance } from '../../src/saga/instance.js';
import { rowOf } from '../../src/saga/row.js';
import { collect } from '../support/events.js';
import { type Act, acts, fateOf, type Mark, orderOf, sagaName } from './orders.js';
import type { TrialStore } from './trial.js';

export interface Checked {
  readonly findings: readonly string[];
  /** Attempts of actions and of compensations that were announced, and whose end nobody recorded. */
  readonly interruptedActs: number;
  readonly interruptedUndos: number;
  /** Effects of an idempotency key beyond the first. */
  readonly repeated: number;
  readonly ends: Readonly<Record<string, number>>;
}

export async function checkOrders({ store }: TrialStore, orders: number, marks: readonly Mark[]): Promise<Checked> {
  const findings: string[] = [];
  const ends: Record<string, number> = {};
  let [interruptedActs, interruptedUndos, repeated] = [0, 0, 0];
  const marksOf = new Map<string, Mark[]>();
  for (const mark of marks) marksOf.set(mark.order, [...(marksOf.get(mark.order) ?? []), mark]);
  for (let number = 0; number < orders; number += 1) {
    const order = orderOf(number);
    const find = (what: string) => void findings.push(`${order} (${fateOf(order).what}): ${what}`);
    const loaded = await loadInstance(store.log, sagaName, order);
    const record = await store.sagas.find({ saga: sagaName, instance: order });
    if (loaded === undefined || record === undefined) {
      find('was never started');
      continue;
    }
    const { due, ...row } = rowOf(loaded.state);
    const { startedAt: _1, since: _2, movedAt: _3, dueAt, owner, streamVersion, ...stored } = record;
    if (!isDeepStrictEqual(stored, row))
      find(`its row ${JSON.stringify(stored)} is not its fold ${JSON.stringify(row)}`);
    if (streamVersion !== loaded.version)
      find(`its row is of version ${streamVersion}, its stream of ${loaded.version}`);
    if (owner !== null) find(`${owner} holds it`);
    if (due !== null || dueAt !== null) find('it is still due');
    const { end } = fateOf(order);
    if (row.phase !== end) find(`ended ${row.phase}, not ${end}`);
    ends[row.phase] = (ends[row.phase] ?? 0) + 1;

    const facts = (await collect(store.log.readStream(sagaStreamId(sagaName, order)))).map(
      ({ type, data }) => ({ type, data: parseJson(data, true) }) as SagaFact,
    );
    const own = marksOf.get(order) ?? [];
    const attempts = attemptsOf(facts);
    interruptedActs += attempts.filter(({ isUndo, isOpen }) => !isUndo && isOpen).length;
    interruptedUndos += attempts.filter(({ isUndo, isOpen }) => isUndo && isOpen).length;
    const done = own.filter(({ at }) => at === 'end');
    repeated += done.length - new Set(done.map(({ key }) => key)).size;
    for (const finding of [...checkAttempts(order, own, attempts), ...checkEffects(order, own)]) find(finding);
  }
  return { findings, interruptedActs, interruptedUndos, repeated, ends };
}

interface Attempt {
  readonly key: string;
  readonly attempt: number;
  readonly isUndo: boolean;
  /** Its end was not recorded. */
  isOpen: boolean;
  isDone: boolean;
}

function attemptsOf(facts: readonly SagaFact[]): readonly Attempt[] {
  const attempts: Attempt[] = [];
  for (const { type, data } of facts) {
    if (type === 'StepStarted' || type === 'CompensationStarted') {
      const { idempotencyKey: key, attempt } = data;
      attempts.push({ key, attempt, isUndo: type === 'CompensationStarted', isOpen: true, isDone: false });
      continue;
    }
    const ended = /^(Step|Compensation)(Completed|Failed|Interrupted)$/.exec(type);
    if (ended === null || !('attempt' in data)) continue;
    const isUndo = ended[1] === 'Compensation';
    const key = keyOf(data.step as Act, isUndo, '');
    const found = attempts.find(
      (each) => each.key.endsWith(key) && each.isUndo === isUndo && each.attempt === data.attempt,
    );
    if (found === undefined) continue;
    found.isOpen = false;
    found.isDone = ended[2] === 'Completed';
  }
  return attempts;
}

function keyOf(act: Act, isUndo: boolean, before: string): string {
  return `${before}/${act}${isUndo ? '/compensate' : ''}`;
}

/** Each attempt was announced, made by one process, once, and was the last one if it succeeded. */
function* checkAttempts(order: string, marks: readonly Mark[], attempts: readonly Attempt[]): Iterable<string> {
  const announced = new Map(attempts.map((each) => [`${each.key} ${each.attempt}`, each]));
  if (announced.size !== attempts.length) yield 'an attempt was announced twice';
  const seen = new Set<string>();
  for (const [place, { at, key, act, isUndo, attempt, process }] of marks.entries()) {
    if (key !== keyOf(act, isUndo, `${sagaName}/${order}`)) yield `the key of ${act} is ${key}`;
    if (!announced.has(`${key} ${attempt}`)) yield `${key}, attempt ${attempt} was not announced`;
    const name = `${at} ${key} ${attempt}`;
    if (seen.has(name)) yield `${name} was made twice`;
    seen.add(name);
    if (at === 'end') continue;
    const earlier = attempts.find((each) => each.key === key && each.attempt < attempt && each.isDone);
    if (earlier !== undefined) yield `${key} was made again after attempt ${earlier.attempt} was done`;
    // What a killed process began has no end.
    const rival = marks
      .slice(0, place)
      .find((each) => each.at === 'begin' && each.process !== process && endsAfter(each));
    if (rival !== undefined) yield `${key} began while process ${rival.process} was at ${rival.key}`;
    function endsAfter(begun: Mark): boolean {
      return marks
        .slice(place)
        .some((each) => each.at === 'end' && each.key === begun.key && each.attempt === begun.attempt);
    }
  }
}

/** What took effect is what its fate says, and was undone last first, after everything was done. */
function* checkEffects(order: string, marks: readonly Mark[]): Iterable<string> {
  const { end, done, maybe } = fateOf(order);
  const ended = marks.filter(({ at }) => at === 'end');
  const made = acts.filter((act) => ended.some((each) => each.act === act && !each.isUndo));
  if (!isDeepStrictEqual(made, [...done])) yield `made ${made}, not ${done}`;
  const undone = [...new Set(ended.filter(({ isUndo }) => isUndo).map(({ act }) => act))];
  const places = undone.map((act) => acts.indexOf(act));
  if (places.some((place, index) => index > 0 && place >= (places[index - 1] ?? 0)))
    yield `undone in the order ${undone}`;
  const must = end === 'completed' ? [] : done.filter((act) => end === 'compensated' || act !== 'reserve');
  const may: readonly Act[] = end === 'completed' ? [] : [...must, ...maybe];
  for (const act of must) if (!undone.includes(act)) yield `${act} was not undone`;
  for (const act of undone) if (!may.includes(act)) yield `${act} was undone`;
  const lastMade = marks.findLastIndex(({ isUndo }) => !isUndo);
  const firstUndone = marks.findIndex(({ isUndo }) => isUndo);
  if (firstUndone !== -1 && firstUndone < lastMade) yield 'an act was made after the first was undone';
}

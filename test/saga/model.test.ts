/**
 * Sagas of random steps in a random world: attempts fail, time out, end late; processes are killed at any record; two drive
 * at once; events come before, while and after they are waited for, or never; operators cancel. Whatever happens, what took
 * effect is undone last first or all is done, and nothing is lost.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isEvstoreError } from '../../src/domain/errors.js';
import { endPhases } from '../../src/domain/saga-phase.js';
import type { ActionStep, SagaDefinition, SagaStep } from '../../src/saga/definition.js';
import type { FactOf, SagaEventData } from '../../src/saga/events.js';
import { Final, NotApplied } from '../../src/saga/failures.js';
import { loadInstance } from '../../src/saga/instance.js';
import { cancelInstance } from '../../src/saga/operate.js';
import { rowOf } from '../../src/saga/row.js';
import { allowMoreTime } from '../support/more-time.js';
import { claimMs, type Process, SagaWorld } from '../support/saga-world.js';
import { sagaOf } from '../support/sagas.js';

allowMoreTime('thousands of sagas are driven');

type Fate = 'done' | 'lost' | 'refused' | 'failed' | 'final' | 'timed out' | 'late';
type Kind = 'reversible' | 'irreversible' | 'wait' | 'wait on' | 'sleep';

interface Plan {
  readonly kinds: readonly Kind[];
  /** Of each attempt, of actions and of compensations, in the order in which they happen. */
  readonly fates: readonly Fate[];
  readonly undoFates: readonly Fate[];
  /** In which turn an event comes for each instance; null for never. */
  readonly events: readonly (number | null)[];
  readonly cancels: readonly (number | null)[];
  readonly deaths: readonly { readonly record: number; readonly moment: 'before' | 'after' }[];
  readonly stops: readonly boolean[];
}

interface Effect {
  readonly key: string;
  readonly step: string;
  readonly instance: string;
  readonly isUndo: boolean;
  readonly isLate: boolean;
}

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

class Trial {
  readonly world = new SagaWorld();
  readonly effects: Effect[] = [];
  readonly plan: Plan;
  #fate = 0;
  #undoFate = 0;

  constructor(plan: Plan) {
    this.plan = plan;
  }

  /** The code as one process runs it: once the process is gone, its actions do nothing more. */
  saga(isGone: () => boolean): SagaDefinition {
    return sagaOf(this.plan.kinds.map((kind, place) => this.#step(kind, `step-${place}`, isGone)));
  }

  #step(kind: Kind, name: string, isGone: () => boolean): SagaStep {
    if (kind === 'sleep') return { kind: 'sleep', name, time: '40d' };
    if (kind === 'wait' || kind === 'wait on') {
      return {
        kind: 'event',
        name,
        type: 'Paid',
        timeout: '1h',
        onTimeout: kind === 'wait' ? 'compensate' : 'continue',
      };
    }
    const act = async (isUndo: boolean, fate: Fate, context: Parameters<ActionStep['action']>[0]) => {
      const { idempotencyKey: key, instance, signal } = context;
      const happen = async () => {
        await tick();
        if (isGone()) return new Promise<never>(() => {});
        this.effects.push({ key, step: name, instance, isUndo, isLate: fate === 'late' });
        await tick();
      };
      if (fate === 'refused') throw new NotApplied('refused');
      if (fate === 'failed') throw new Error('failed');
      if (fate === 'final') throw new Final('final');
      if (fate === 'timed out') {
        return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      }
      if (fate === 'late') {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        await sleep(3);
      }
      await happen();
      if (fate === 'lost') throw new Error('the answer was lost');
      return { by: key };
    };
    return {
      kind: 'action',
      name,
      retries: 1,
      backOff: '200ms',
      timeout: '20ms',
      action: (context) => act(false, this.plan.fates[this.#fate++] ?? 'done', context),
      ...(kind === 'reversible' && {
        compensate: (context) => {
          const fate = this.plan.undoFates[this.#undoFate++] ?? 'done';
          return act(true, fate, context);
        },
      }),
    };
  }

  async play(instances: readonly string[]): Promise<void> {
    const { world, plan } = this;
    for (const instance of instances) world.append(instance, 'OrderPlaced');
    for (let turn = 0; turn < 60; turn += 1) {
      for (const [place, instance] of instances.entries()) {
        if (plan.events[place] === turn) world.append(instance, 'Paid', { turn });
        if (plan.cancels[place] === turn) await this.#cancel(instance);
      }
      const rivals = [0, 1].map((place) => this.#start(plan.deaths[turn * 2 + place]));
      const [first, second] = rivals as [Process, Process];
      const reading = world.read(turn % 2 === 0 ? first : second);
      const stopping = plan.stops[turn] ? tick().then(() => second.stop.abort(new Error('told to stop'))) : undefined;
      const next = await Promise.all([world.work(first), reading.then(() => world.work(second)), stopping]);
      for (const each of rivals) each.die();
      const inMs = Math.min(...next.map((each) => each ?? claimMs));
      const isOver = await this.#isOver(instances);
      if (isOver && plan.events.every((each) => each === null || each <= turn)) return;
      world.now += Math.max(1, Math.min(inMs, turn % 3 === 0 ? claimMs : Number.POSITIVE_INFINITY));
    }
    await world.settle([this.saga(() => false)]);
  }

  #start(diesAt: Plan['deaths'][number] | undefined): Process {
    let process: Process | undefined;
    const saga = this.saga(() => process?.isGone() ?? false);
    process = this.world.start({ sagas: [saga], diesAt, graceMs: 2, slots: 2 });
    return process;
  }

  async #cancel(instance: string): Promise<void> {
    try {
      await cancelInstance({ log: this.world.log, sagas: this.world.instances } as never, 'orders', instance, 'asked');
    } catch (error) {
      if (!isEvstoreError(error)) throw error;
    }
  }

  async #isOver(instances: readonly string[]): Promise<boolean> {
    const records = await Promise.all(
      instances.map((instance) => this.world.instances.find({ saga: 'orders', instance })),
    );
    return records.every((record) => endPhases.some((phase) => phase === record?.phase));
  }

  async check(instance: string): Promise<void> {
    const { world, plan } = this;
    const loaded = await loadInstance(world.log, 'orders', instance);
    const record = await world.instances.find({ saga: 'orders', instance });
    if (loaded === undefined || record === undefined) throw new Error('it was never started');
    const { state } = loaded;
    const { due: _due, ...row } = rowOf(state);
    expect(record).toMatchObject({ ...row, streamVersion: loaded.version, owner: null });
    expect(endPhases).toContain(state.phase);

    const effects = this.effects.filter((each) => each.instance === instance);
    const done = effects.filter(({ isUndo }) => !isUndo);
    expect(new Set(done.map(({ key }) => key))).toEqual(new Set(done.map(({ step }) => `orders/${instance}/${step}`)));
    const actions = plan.kinds.flatMap((kind, place) => (kind.includes('reversible') ? [`step-${place}`] : []));
    // A process that dies after a late effect, before it recorded it, leaves no trace of it.
    const isUnknowable = ({ isLate }: Effect) => isLate && plan.deaths.length > 0;
    const lastOf = (step: string, isUndo: boolean) =>
      effects.findLastIndex((each) => each.step === step && each.isUndo === isUndo && !isUnknowable(each));
    if (state.phase === 'completed') {
      expect([...new Set(done.map(({ step }) => step))]).toEqual(actions);
      expect(effects).toHaveLength(done.length);
    }
    const reversible = plan.kinds.flatMap((kind, place) => (kind === 'reversible' ? [`step-${place}`] : []));
    if (state.phase === 'compensated' || state.phase === 'failed') {
      // An effect of an attempt that a killed process left may have no later record, but always a later compensation.
      for (const step of reversible) expect(lastOf(step, true)).toBeGreaterThanOrEqual(lastOf(step, false));
    }
    const stuck = state.steps.findIndex(({ compensation }) => compensation.exhausted);
    expect(stuck !== -1).toBe(state.phase === 'compensation-failed');
    await this.#checkOrder(instance, stuck);
    await this.#checkWaits(instance);
  }

  /** Compensations go from the last step to the first; a step that took effect late is compensated again. */
  async #checkOrder(instance: string, stuck: number): Promise<void> {
    let before = Number.POSITIVE_INFINITY;
    const again = new Set<number>();
    const late = new Set<number>();
    const undone: number[] = [];
    for (const fact of (await this.world.facts('orders', instance)) as readonly FactOf<keyof SagaEventData>[]) {
      const place = Number((fact.data as { step?: string }).step?.slice('step-'.length));
      if (fact.type === 'StepCompletedLate') {
        again.add(place);
        late.add(place);
      }
      if (fact.type !== 'CompensationCompleted' || again.delete(place)) continue;
      expect(place).toBeLessThan(before);
      undone.push(place);
      before = place;
    }
    // One that took effect late may be stuck although it was compensated before.
    for (const place of undone) if (!late.has(place)) expect(place).toBeGreaterThan(stuck);
  }

  /** Each wait got the first event that no earlier wait had got, and ran out of time only without one. */
  async #checkWaits(instance: string): Promise<void> {
    const { events } = this.world.log;
    const trigger = events.find(({ streamId, type }) => streamId === instance && type === 'OrderPlaced');
    const coming = events.filter(
      ({ streamId, type, globalPosition }) =>
        streamId === instance && type === 'Paid' && globalPosition > (trigger?.globalPosition ?? 0),
    );
    const left = coming.map(({ id, globalPosition }) => ({ id, globalPosition }));
    for (const fact of (await this.world.facts('orders', instance)) as readonly FactOf<keyof SagaEventData>[]) {
      if (fact.type === 'EventReceived') {
        expect((fact.data as SagaEventData['EventReceived']).event.id).toBe(left.shift()?.id);
      }
      if (fact.type === 'WaitTimedOut') {
        const { upTo } = fact.data as SagaEventData['WaitTimedOut'];
        expect(left.filter(({ globalPosition }) => globalPosition <= upTo)).toEqual([]);
      }
    }
  }
}

const fates = fc.constantFrom<Fate>(
  'done',
  'done',
  'done',
  'done',
  'lost',
  'refused',
  'failed',
  'final',
  'timed out',
  'late',
);
const undoFates = fc.constantFrom<Fate>('done', 'done', 'done', 'done', 'done', 'done', 'lost', 'failed', 'timed out');
const kinds = fc.constantFrom<Kind>('reversible', 'reversible', 'irreversible', 'wait', 'wait on', 'sleep');
const turn = fc.option(fc.nat(12), { freq: 3 });
const instances = ['Order-1', 'Order-2', 'Order-3'];
const plans = fc.record<Plan>({
  kinds: fc.array(kinds, { minLength: 1, maxLength: 5 }),
  fates: fc.array(fates, { maxLength: 20 }),
  undoFates: fc.array(undoFates, { maxLength: 20 }),
  events: fc.array(turn, { minLength: 3, maxLength: 3 }),
  cancels: fc.array(fc.option(fc.nat(8), { freq: 1 }), { minLength: 3, maxLength: 3 }),
  deaths: fc.array(fc.record({ record: fc.integer({ min: 1, max: 8 }), moment: fc.constantFrom('before', 'after') }), {
    maxLength: 12,
  }) as fc.Arbitrary<Plan['deaths']>,
  stops: fc.array(fc.boolean(), { maxLength: 12 }),
});

test('whatever happens, each saga ends, with every effect done or undone last first, and waits get their events', async () => {
  await fc.assert(
    fc.asyncProperty(plans, async (plan) => {
      const trial = new Trial(plan);
      await trial.play(instances);
      for (const instance of instances) await trial.check(instance);
    }),
    {
      numRuns: Number(process.env.EVSTORE_TEST_RUNS ?? 150),
      ...(process.env.EVSTORE_TEST_SEED !== undefined && { seed: Number(process.env.EVSTORE_TEST_SEED) }),
    },
  );
});

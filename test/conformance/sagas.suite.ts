/** Instances of sagas: their facts and rows, and who works on them. */
import { expect } from 'vitest';
import { newEventId } from '../../src/domain/uuid.js';
import type {
  ClaimRequest,
  Holder,
  InstanceChange,
  InstanceRow,
  OverdueLimits,
  RestoredInstance,
  SagaCode,
  Store,
} from '../../src/store/store.js';
import { readStream } from '../support/events.js';
import { suite } from './suite.js';

const code: SagaCode = { saga: 'order', version: 1, definition: 'abc' };
const holder: Holder = { owner: 'host:1', process: null, ttlMs: 60_000 };

function row(instance: string, change: Partial<InstanceRow> = {}): InstanceRow {
  return {
    saga: 'order',
    instance,
    sagaVersion: 1,
    definition: 'abc',
    phase: 'running',
    step: 'reserve',
    attempt: 1,
    triggerPosition: 1,
    correlationId: 'c-1',
    error: null,
    reason: null,
    waitKey: null,
    due: { inMs: 0 },
    ...change,
  };
}

function change(instance: string, version: number, changed: Partial<InstanceRow> = {}, facts = 1): InstanceChange {
  const events = Array.from({ length: facts }, (_, place) => ({
    id: newEventId(),
    type: `Fact${version + place + 1}`,
    schemaVersion: 1,
    data: `{"place":${place}}`,
    metadata: '{"correlationId":"c-1"}',
  }));
  return { streamId: `saga:order-${instance}`, version, events, row: row(instance, changed) };
}

function claim(store: Store, request: Partial<ClaimRequest> = {}) {
  return store.sagas.claim({ ...holder, limit: 10, definitions: [code], ...request });
}

async function claimed(store: Store, request: Partial<ClaimRequest> = {}): Promise<readonly string[]> {
  return (await claim(store, request)).instances.map(({ instance }) => instance).toSorted();
}

export const sagasSuite = suite('sagas', {
  'facts and row are written together': async ({ store }) => {
    const [outcome] = await store.sagas.record([change('a', 0, {}, 2)]);
    expect(outcome).toMatchObject({ kind: 'recorded', version: 2 });
    const events = await readStream(store, 'saga:order-a');
    expect(events.map(({ type, version, streamType }) => [type, version, streamType])).toEqual([
      ['Fact1', 1, 'saga'],
      ['Fact2', 2, 'saga'],
    ]);
    expect(outcome).toMatchObject({ globalPosition: events[1]?.globalPosition });
    const { due: _, ...expected } = row('a');
    const found = await store.sagas.find({ saga: 'order', instance: 'a' });
    expect(found).toMatchObject({ ...expected, streamVersion: 2, owner: null });
    expect(found?.since).toBe(found?.startedAt);
    expect(found?.dueAt).toBe(found?.movedAt);
    expect(await store.sagas.find({ saga: 'order', instance: 'A' })).toBeUndefined();
  },

  'many instances at once, each with an outcome; a conflict leaves the others alone': async ({ store }) => {
    await store.sagas.record([change('a', 0), change('b', 0)]);
    const second = [change('a', 1), change('b', 0), change('c', 0), change('d', 4)];
    expect(await store.sagas.record(second)).toMatchObject([
      { kind: 'recorded', version: 2 },
      { kind: 'conflict', actualVersion: 1 },
      { kind: 'recorded', version: 1 },
      { kind: 'conflict', actualVersion: 0 },
    ]);
    expect(await store.sagas.find({ saga: 'order', instance: 'd' })).toBeUndefined();
    expect((await readStream(store, 'saga:order-b')).length).toBe(1);
  },

  'the same change again is known, and changes nothing': async ({ store }) => {
    const first = change('a', 0, { step: 'reserve' }, 2);
    const [written] = await store.sagas.record([first]);
    await store.sagas.record([change('a', 2, { step: 'charge' })]);
    const [again] = await store.sagas.record([first]);
    expect(again).toEqual({ ...written, kind: 'known' });
    expect(await store.sagas.find({ saga: 'order', instance: 'a' })).toMatchObject({
      step: 'charge',
      streamVersion: 3,
    });
  },

  'rivals: of two changes at one version one is recorded': async ({ store, open }) => {
    const other = await open();
    await store.sagas.record([change('a', 0), change('b', 0)]);
    for (let version = 1; version <= 10; version += 1) {
      const both = await Promise.all([
        store.sagas.record([change('a', version), change('b', version)]),
        other.sagas.record([change('b', version), change('a', version)]),
      ]);
      const outcomes = both.flat().map(({ kind }) => kind);
      expect(outcomes.toSorted()).toEqual(['conflict', 'conflict', 'recorded', 'recorded']);
    }
  },

  'no changes': async ({ store }) => {
    expect(await store.sagas.record([])).toEqual([]);
    await store.sagas.restore([]);
    expect(await store.sagas.renew('host:1', [], 1_000)).toEqual([]);
  },

  'since is the time at which it came to its step and phase': async ({ store }) => {
    await store.sagas.record([change('a', 0)]);
    const first = await store.sagas.find({ saga: 'order', instance: 'a' });
    await new Promise((resolve) => setTimeout(resolve, 5));
    await store.sagas.record([change('a', 1, { attempt: 2, error: 'no stock' })]);
    const second = await store.sagas.find({ saga: 'order', instance: 'a' });
    expect(second).toMatchObject({ attempt: 2, error: 'no stock', since: first?.since, startedAt: first?.startedAt });
    expect(second?.movedAt).not.toBe(first?.movedAt);
    await store.sagas.record([change('a', 2, { phase: 'compensating', reason: 'no stock' })]);
    const third = await store.sagas.find({ saga: 'order', instance: 'a' });
    expect(third?.since).toBe(third?.movedAt);
    expect(third?.startedAt).toBe(first?.startedAt);
  },

  'due after a while, at a time, and never': async ({ store }) => {
    const far = { phase: 'waiting', due: { inMs: 60 * 86_400_000 } } as const;
    await store.sagas.record([change('a', 0, far), change('b', 0, { due: { at: '2026-01-01T00:00:00+02:00' } })]);
    await store.sagas.record([change('c', 0, { due: null })]);
    const due = async (instance: string) => (await store.sagas.find({ saga: 'order', instance }))?.dueAt;
    expect(await due('b')).toBe('2025-12-31T22:00:00.000Z');
    expect(await due('c')).toBeNull();
    expect(Math.round((Date.parse((await due('a')) ?? '') - Date.now()) / 86_400_000)).toBe(60);
    expect(await claimed(store)).toEqual(['b']);
  },

  'what is due is claimed once, the longest due first, and only with the code for it': async ({ store }) => {
    await store.sagas.record([
      change('a', 0, { due: { at: '2026-01-02T00:00:00Z' } }),
      change('b', 0, { due: { at: '2026-01-01T00:00:00Z' } }),
      change('c', 0, { due: { at: '2026-01-03T00:00:00Z' }, sagaVersion: 2 }),
      change('d', 0, { due: { at: '2026-01-03T00:00:00Z' }, definition: 'xyz' }),
    ]);
    expect(await claimed(store, { limit: 1 })).toEqual(['b']);
    expect(await claimed(store, { owner: 'host:2' })).toEqual(['a']);
    expect(await claimed(store, { owner: 'host:3' })).toEqual([]);
    expect(await claimed(store, { definitions: [] })).toEqual([]);
    expect(await claimed(store, { definitions: [{ ...code, version: 2 }, code] })).toEqual(['c']);
    expect((await store.sagas.list({ limit: 9 })).map(({ instance, owner }) => [instance, owner]).toSorted()).toEqual([
      ['a', 'host:2'],
      ['b', 'host:1'],
      ['c', 'host:1'],
      ['d', null],
    ]);
  },

  'two processes share what is due, and none gets what the other has': async ({ store, open }) => {
    const other = await open();
    const names = Array.from({ length: 60 }, (_, place) => `i${place}`);
    await store.sagas.record(names.map((name) => change(name, 0)));
    const taken: string[] = [];
    while (taken.length < names.length) {
      const both = await Promise.all([claimed(store, { limit: 7 }), claimed(other, { limit: 7, owner: 'host:2' })]);
      expect(both.flat().length).toBeGreaterThan(0);
      taken.push(...both.flat());
    }
    expect(taken.toSorted()).toEqual(names.toSorted());
  },

  'the time until the next one': async ({ store }) => {
    expect((await claim(store)).nextInMs).toBeNull();
    await store.sagas.record([change('a', 0, { due: { inMs: 3_600_000 } }), change('b', 0, { due: null })]);
    const next = (await claim(store)).nextInMs ?? 0;
    expect(next).toBeGreaterThan(3_000_000);
    expect(next).toBeLessThanOrEqual(3_600_000);
    await store.sagas.record([change('c', 0), change('d', 0)]);
    expect((await claim(store, { limit: 1 })).nextInMs).toBe(0);
    const held = (await claim(store)).nextInMs ?? 0;
    expect(held).toBeGreaterThan(0);
    expect(held).toBeLessThanOrEqual(60_000);
  },

  'a claim ends by itself, and can be renewed and released by its owner alone': async ({ store }) => {
    await store.sagas.record([change('a', 0), change('b', 0), change('c', 0)]);
    const keys = (await claim(store, { ttlMs: 0 })).instances;
    expect(keys.length).toBe(3);
    expect(await claimed(store, { owner: 'host:2', limit: 1 })).toHaveLength(1);
    const kept = await store.sagas.renew('host:1', keys, 60_000);
    expect(kept.length).toBe(2);
    expect(await claimed(store, { owner: 'host:3' })).toEqual([]);
    await store.sagas.release('host:3');
    await store.sagas.release('host:3', keys);
    expect(await claimed(store, { owner: 'host:3' })).toEqual([]);
    await store.sagas.release('host:1', kept.slice(0, 1));
    expect(await claimed(store, { owner: 'host:3' })).toEqual([kept[0]?.instance]);
    await store.sagas.release('host:1');
    expect(await claimed(store, { owner: 'host:3' })).toEqual([kept[1]?.instance]);
  },

  'a record takes the claim, keeps it, releases it, or leaves it': async ({ store }) => {
    const key = { saga: 'order', instance: 'a' };
    const ownerAfter = async (changed: InstanceChange) => {
      await store.sagas.record([changed]);
      return (await store.sagas.find(key))?.owner;
    };
    expect(await ownerAfter(change('a', 0))).toBeNull();
    expect(await ownerAfter({ ...change('a', 1), holder })).toBe('host:1');
    expect(await ownerAfter(change('a', 2))).toBe('host:1');
    expect(await claimed(store, { owner: 'host:2' })).toEqual([]);
    expect(await ownerAfter({ ...change('a', 3), holder: null })).toBeNull();
    expect(await claimed(store, { owner: 'host:2' })).toEqual(['a']);
  },

  'owners with their processes': async ({ store }) => {
    await store.sagas.record([change('a', 0), change('b', 0)]);
    expect(await store.sagas.owners()).toEqual([]);
    await claim(store, { owner: 'host:2', process: 'boot 1 2 3', limit: 1 });
    await claim(store, { owner: 'host:3', ttlMs: 0 });
    const owners = await store.sagas.owners();
    expect(owners).toMatchObject([
      { owner: 'host:2', process: 'boot 1 2 3', instances: 1 },
      { owner: 'host:3', process: null, instances: 1, expiresInMs: 0 },
    ]);
    expect(owners[0]?.expiresInMs).toBeGreaterThan(0);
  },

  'those that wait under a key': async ({ store }) => {
    const hostile = `'; drop table evstore_sagas; -- 注文 żółć "`;
    await store.sagas.record([
      change('a', 0, { phase: 'waiting', waitKey: 'p-1', due: null }),
      change('b', 0, { phase: 'waiting', waitKey: 'p-1', due: { inMs: 1_000 } }),
      change('c', 0, { phase: 'waiting', waitKey: hostile, due: null }),
    ]);
    const waiting = async (...keys: string[]) =>
      (await store.sagas.findWaiting('order', keys)).map(({ instance }) => instance).toSorted();
    expect(await waiting('p-1')).toEqual(['a', 'b']);
    expect(await waiting('p-1', hostile, 'other')).toEqual(['a', 'b', 'c']);
    expect(await waiting()).toEqual([]);
    expect(await store.sagas.findWaiting('other', ['p-1'])).toEqual([]);
    await store.sagas.record([change('a', 1, { waitKey: null })]);
    expect(await waiting('p-1')).toEqual(['b']);
  },

  'listed by saga, phase, name and age': async ({ store }) => {
    await store.sagas.record([change('a-1', 0), change('a-2', 0, { phase: 'completed', step: null, due: null })]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await store.sagas.record([change('b-1', 0, { saga: 'other', due: { at: '2026-01-01T00:00:00Z' } })]);
    const list = async (options: Partial<Parameters<Store['sagas']['list']>[0]>) =>
      (await store.sagas.list({ limit: 9, ...options })).map(({ instance }) => instance);
    expect((await list({})).toSorted()).toEqual(['a-1', 'a-2', 'b-1']);
    expect(await list({ saga: 'other' })).toEqual(['b-1']);
    expect(await list({ phases: ['completed', 'failed'] })).toEqual(['a-2']);
    expect(await list({ phases: [] })).toEqual([]);
    expect((await list({ prefix: 'a-' })).toSorted()).toEqual(['a-1', 'a-2']);
    expect(await list({ notMovedForMs: 3_600_000 })).toEqual([]);
    expect((await list({ notMovedForMs: 0 })).length).toBe(3);
    expect(await list({ dueForMs: 3_600_000 })).toEqual(['b-1']);
    expect((await list({ sort: 'oldest', limit: 1 })).length).toBe(1);
    expect((await list({}))[0]).toBe('b-1');
  },

  'overdue: due and not held, held and not moved, still for too long, or failing to compensate': async ({ store }) => {
    const long = { at: '2026-01-01T00:00:00Z' };
    await store.sagas.record([
      change('fails', 0, { phase: 'compensation-failed', due: null }),
      change('failing', 0, { phase: 'compensating', error: 'no answer', due: { inMs: 60_000 } }),
      change('undoing', 0, { phase: 'compensating', error: null, due: { inMs: 60_000 } }),
      change('late', 0, { due: long }),
      { ...change('held', 0, { due: long }), holder: { owner: 'host:1', process: null, ttlMs: 60_000 } },
      change('waiting', 0, { phase: 'waiting', due: null }),
      change('over', 0, { saga: 'other', phase: 'completed', step: null, due: null }),
    ]);
    const overdue = async (limits: Partial<OverdueLimits>) => {
      const given = { unheldMs: 1_000, heldMs: 3_600_000, ...limits };
      const found = (await store.sagas.list({ limit: 9, overdue: given })).map(({ instance }) => instance);
      const counted = await store.sagas.countOverdue(given);
      expect(counted).toEqual([{ saga: 'order', instances: found.length }]);
      return found.toSorted();
    };
    expect(await overdue({})).toEqual(['failing', 'fails', 'late']);
    expect(await overdue({ heldMs: 0 })).toEqual(['failing', 'fails', 'held', 'late']);
    expect(await overdue({ unheldMs: 1e13, stillMs: 3_600_000 })).toEqual(['failing', 'fails']);
    expect(await overdue({ unheldMs: 1e13, stillMs: 0 })).toEqual([
      'failing',
      'fails',
      'held',
      'late',
      'undoing',
      'waiting',
    ]);
  },

  'counted by saga, version, definition and phase': async ({ store }) => {
    await store.sagas.record([
      change('a', 0),
      change('b', 0),
      change('c', 0, { phase: 'completed', step: null, due: null }),
      change('d', 0, { sagaVersion: 2, definition: 'xyz' }),
      change('e', 0, { saga: 'other' }),
    ]);
    const counts = await store.sagas.count();
    expect(counts.map(({ oldestSince, ...rest }) => [...Object.values(rest), oldestSince !== null])).toEqual([
      ['order', 1, 'abc', 'completed', 1, false],
      ['order', 1, 'abc', 'running', 2, true],
      ['order', 2, 'xyz', 'running', 1, true],
      ['other', 1, 'abc', 'running', 1, true],
    ]);
    expect((await store.sagas.count('other')).length).toBe(1);
  },

  'rows are made anew from the streams, and never replace a later one': async ({ store }) => {
    const key = { saga: 'order', instance: 'a' };
    await store.sagas.record([change('a', 0, { step: 'charge' }, 3)]);
    const restored = (streamVersion: number, step: string): RestoredInstance => ({
      row: row('a', { step, error: 'as folded', due: { inMs: 1_000 } }),
      streamVersion,
      startedAt: '2026-01-01T00:00:00.000Z',
      since: '2026-01-02T00:00:00.000Z',
      movedAt: '2026-01-03T00:00:00.000Z',
    });
    await store.sagas.restore([restored(2, 'reserve')]);
    expect(await store.sagas.find(key)).toMatchObject({ step: 'charge', error: null });
    await store.sagas.restore([restored(3, 'ship')]);
    expect(await store.sagas.find(key)).toMatchObject({
      step: 'ship',
      error: 'as folded',
      startedAt: '2026-01-01T00:00:00.000Z',
      since: '2026-01-02T00:00:00.000Z',
      movedAt: '2026-01-03T00:00:00.000Z',
      dueAt: '2026-01-03T00:00:01.000Z',
    });
    await store.sagas.restore([{ ...restored(1, 'reserve'), row: row('new') }]);
    expect(await store.sagas.find({ saga: 'order', instance: 'new' })).toMatchObject({ streamVersion: 1 });
  },

  'texts of any script and length come back as they were': async ({ store }) => {
    const instance = 'Zażółć-訂單 "1"\' \\';
    const error = `❌ ${'é'.repeat(5_000)}\n\t'`;
    await store.sagas.record([change(instance, 0, { error, reason: error, correlationId: '相關' })]);
    expect(await store.sagas.find({ saga: 'order', instance })).toMatchObject({
      error,
      reason: error,
      correlationId: '相關',
    });
    expect((await claim(store)).instances).toEqual([{ saga: 'order', instance, streamVersion: 1 }]);
    expect(await store.sagas.renew('host:1', [{ saga: 'order', instance }], 1_000)).toEqual([
      { saga: 'order', instance },
    ]);
  },
});

import { expect } from 'vitest';
import type { ExpectedVersion } from '../../src/domain/event.js';
import type { TestStore } from '../support/engines.js';
import { append, errorOf, failureOf, makeEvent, makeEvents, readAll, readStream } from '../support/events.js';
import { suite } from './suite.js';

/** Runs it on eight connections at once. */
async function onEight<Result>(test: TestStore, run: (store: TestStore['store'], index: number) => Promise<Result>) {
  const stores = await Promise.all(Array.from({ length: 8 }, () => test.open()));
  return Promise.allSettled(stores.map(run));
}

const fulfilled = <Value>(results: readonly PromiseSettledResult<Value>[]): Value[] =>
  results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
const codes = (results: readonly PromiseSettledResult<unknown>[]): string[] =>
  results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code ?? String(result.reason)] : []));

export const appendSuite = suite('append', {
  'result: versions from 1, rising positions, in the order of the request': async ({ store }) => {
    const events = makeEvents(3);
    const first = await append(store, 'Order-1', events, 'none');
    expect(first.events.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
    expect(first.events.map(({ version }) => version)).toEqual([1, 2, 3]);
    expect(first).toMatchObject({ streamId: 'Order-1', version: 3, deduplicated: false });
    const positions = first.events.map(({ globalPosition }) => globalPosition);
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
    expect(first.globalPosition).toBe(positions[2]);
    const second = await append(store, 'Order-1', [makeEvent()], 3);
    expect(second.version).toBe(4);
    expect(second.globalPosition).toBeGreaterThan(first.globalPosition);
    expect((await readAll(store)).map(({ id }) => id)).toEqual([...events.map(({ id }) => id), second.events[0]?.id]);
  },

  'A1: the same append again is answered alike and stores nothing': async ({ store }) => {
    const events = makeEvents(2);
    const first = await append(store, 'Order-1', events, 0);
    await append(store, 'Order-1', [makeEvent()], 2);
    for (const expected of [0, 'any', 'none', 'exists'] as const) {
      expect(await append(store, 'Order-1', events, expected)).toEqual({ ...first, deduplicated: true });
    }
    expect(await readStream(store, 'Order-1')).toHaveLength(3);
  },

  'A2: of eight identical appends at once one is stored': async (test) => {
    const events = makeEvents(2);
    const results = await onEight(test, (store) => append(store, 'Order-1', events, 'none'));
    expect(codes(results)).toEqual([]);
    const appends = fulfilled(results);
    expect(appends.filter(({ deduplicated }) => !deduplicated)).toHaveLength(1);
    for (const result of appends) expect(result.events).toEqual(appends[0]?.events);
    expect(await readAll(test.store)).toHaveLength(2);
  },

  'A3: of eight appends that expect the same version one wins': async (test) => {
    const results = await onEight(test, (store) => append(store, 'Order-1', [makeEvent()], 0));
    expect(fulfilled(results)).toHaveLength(1);
    expect(codes(results)).toEqual(Array(7).fill('E_VERSION_CONFLICT'));
    expect(await readStream(test.store, 'Order-1')).toHaveLength(1);
  },

  'A4: eight appends to any version all go in, without a hole': async (test) => {
    const results = await onEight(test, (store) => append(store, 'Order-1', makeEvents(3), 'any'));
    expect(codes(results)).toEqual([]);
    const versions = fulfilled(results).flatMap(({ events }) => events.map(({ version }) => version));
    expect(versions.sort((a, b) => a - b)).toEqual(Array.from({ length: 24 }, (_, index) => index + 1));
    const stored = await readAll(test.store);
    expect(stored.map(({ version }) => version)).toEqual(Array.from({ length: 24 }, (_, index) => index + 1));
  },

  'A5: a known id with other content is refused': async ({ store }) => {
    const event = makeEvent({ data: '{"secret":"payload-1"}' });
    await append(store, 'Order-1', [event]);
    for (const other of [{ data: '{"secret":"payload-2"}' }, { metadata: '{"by":"x"}' }, { type: 'OrderPaid' }]) {
      const error = await errorOf('E_ID_CONFLICT', append(store, 'Order-1', [{ ...event, ...other }]));
      expect(`${error.message} ${error.why} ${JSON.stringify(error.details)}`).not.toContain('payload');
      expect(JSON.stringify(error.details)).toContain('Order-1');
    }
    expect(await readAll(store)).toHaveLength(1);
  },

  'A6: an id known in another stream is refused': async (test) => {
    const event = makeEvent();
    await append(test.store, 'Order-1', [event]);
    const error = await errorOf('E_ID_CONFLICT', append(test.store, 'Order-2', [event]));
    expect(JSON.stringify(error.details)).toContain('Order-1');
    const contested = makeEvent();
    const results = await onEight(test, (store, index) => append(store, `Race-${index}`, [contested]));
    expect(fulfilled(results)).toHaveLength(1);
    expect(codes(results)).toEqual(Array(7).fill('E_ID_CONFLICT'));
    expect(await readAll(test.store)).toHaveLength(2);
  },

  'A7: an append whose events are all stored has succeeded, whatever version it expects': async ({ store }) => {
    await append(store, 'Order-1', [makeEvent()], 0);
    const event = makeEvent();
    const first = await append(store, 'Order-1', [event], 1);
    await append(store, 'Order-1', [makeEvent()], 2);
    for (const expected of ['none', 0, 1, 2, 3, 9] as const) {
      expect(await append(store, 'Order-1', [event], expected)).toEqual({ ...first, deduplicated: true });
    }
    expect(await readStream(store, 'Order-1')).toHaveLength(3);
  },

  'A8: a batch of which some ids are known is refused whole': async ({ store }) => {
    const known = makeEvent();
    await append(store, 'Order-1', [known]);
    for (const batch of [
      [known, makeEvent()],
      [makeEvent(), known],
    ]) {
      await errorOf('E_PARTIAL_DUPLICATE', append(store, 'Order-1', batch));
    }
    expect(await readAll(store)).toHaveLength(1);
  },

  'known ids in another order, or with a hole, are an id conflict': async ({ store }) => {
    const [a, b, c] = makeEvents(3) as [
      ReturnType<typeof makeEvent>,
      ReturnType<typeof makeEvent>,
      ReturnType<typeof makeEvent>,
    ];
    await append(store, 'Order-1', [a, b, c]);
    await errorOf('E_ID_CONFLICT', append(store, 'Order-1', [b, a]));
    await errorOf('E_ID_CONFLICT', append(store, 'Order-1', [a, c]));
    expect(await append(store, 'Order-1', [b, c], 1)).toMatchObject({ deduplicated: true, version: 3 });
    expect(await readAll(store)).toHaveLength(3);
  },

  'A10: equal JSON in another spelling is the same event': async ({ store }) => {
    const event = makeEvent({ data: '{"a":1,"b":2.0,"c":12345678901234567890}', metadata: '{"x":[1e2]}' });
    const first = await append(store, 'Order-1', [event]);
    const again = { ...event, data: ' {"c":12345678901234567890.0, "b":2,"a":1}', metadata: '{ "x" : [100] }' };
    expect(await append(store, 'Order-1', [again])).toEqual({ ...first, deduplicated: true });
    const nearly = { ...event, data: '{"a":1,"b":2.0,"c":12345678901234567891}' };
    await errorOf('E_ID_CONFLICT', append(store, 'Order-1', [nearly]));
  },

  'ids are equal in either case': async ({ store }) => {
    const event = makeEvent();
    const first = await append(store, 'Order-1', [event]);
    const again = await append(store, 'Order-1', [{ ...event, id: event.id.toUpperCase() }]);
    expect(again).toEqual({ ...first, deduplicated: true });
  },

  'A13: an append is held to the version it expects': async ({ store }) => {
    await append(store, 'There-1', makeEvents(2));
    const conflicts: [string, ExpectedVersion, number][] = [
      ['Missing-1', 'exists', 0],
      ['Missing-1', 1, 0],
      ['There-1', 'none', 2],
      ['There-1', 0, 2],
      ['There-1', 1, 2],
      ['There-1', 3, 2],
    ];
    for (const [streamId, expected, actual] of conflicts) {
      const error = await errorOf('E_VERSION_CONFLICT', append(store, streamId, [makeEvent()], expected));
      expect(error.details).toMatchObject({ streamId, expected, actual });
      expect(error.message).toContain(String(actual));
      expect(error.next).toMatch(/^evstore /);
    }
    const goes: [string, ExpectedVersion, number][] = [
      ['There-1', 2, 3],
      ['There-1', 'exists', 4],
      ['There-1', 'any', 5],
      ['New-1', 0, 1],
      ['New-2', 'none', 1],
      ['New-3', 'any', 1],
    ];
    for (const [streamId, expected, version] of goes) {
      expect((await append(store, streamId, [makeEvent()], expected)).version).toBe(version);
    }
  },

  'a version conflict names the last events': async ({ store }) => {
    const events = makeEvents(8, (index) => ({ type: `Step${index + 1}` }));
    await append(store, 'Order-1', events);
    const error = await errorOf('E_VERSION_CONFLICT', append(store, 'Order-1', [makeEvent()], 3));
    const last = error.details.lastEvents as { version: number; type: string; id: string }[];
    expect(last.length).toBeGreaterThan(0);
    expect(last.at(-1)).toEqual({ version: 8, type: 'Step8', id: events[7]?.id });
    expect(last.map(({ version }) => version)).toEqual(last.map((_, index) => 8 - last.length + index + 1));
  },

  'A14: a batch is stored whole or not at all': async ({ store, raw, engine }) => {
    await raw.query(
      engine === 'postgres'
        ? "alter table events add constraint not_forbidden check (event_type <> 'Forbidden')"
        : `create trigger not_forbidden before insert on events when new.event_type = 'Forbidden'
             begin select raise(abort, 'forbidden'); end`,
    );
    const events = makeEvents(5, (index) => ({ type: index === 2 ? 'Forbidden' : 'Allowed' }));
    expect(await failureOf(append(store, 'Order-1', events))).toBeInstanceOf(Error);
    expect(await readAll(store)).toEqual([]);
    const result = await append(store, 'Order-1', events.slice(0, 2), 'none');
    expect(result.version).toBe(2);
  },

  'A19: a failed append leaves no stream': async ({ store }) => {
    await errorOf('E_VERSION_CONFLICT', append(store, 'Order-1', [makeEvent()], 5));
    expect(await store.log.streams()).toEqual([]);
    expect(await readAll(store)).toEqual([]);
  },

  'a time longer than any timer takes is no time-out': async ({ store }) => {
    const events = makeEvents(2);
    const result = await store.log.append('Order-1', events, 'none', { timeoutMs: 2 ** 32 });
    expect(result).toMatchObject({ version: 2, deduplicated: false });
  },

  'a batch of 10,000 goes in whole': async ({ store }) => {
    const result = await append(store, 'Big-1', makeEvents(10_000), 'none');
    expect(result.version).toBe(10_000);
    expect(result.events[9_999]).toMatchObject({ version: 10_000, globalPosition: result.globalPosition });
    expect(await store.log.head()).toMatchObject({ head: result.globalPosition, safeHead: result.globalPosition });
  },
});

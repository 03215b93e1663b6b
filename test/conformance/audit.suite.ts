/** What proves that a log is whole and that a cursor was given everything. */

import { expect } from 'vitest';
import { tallyIds } from '../../src/domain/audit.js';
import { newEventId } from '../../src/domain/uuid.js';
import type { Break, Inspection, Store } from '../../src/store/store.js';
import { append, makeEvent, makeEvents, readAll } from '../support/events.js';
import { registration, rowChanges, startProjection, totals } from '../support/read-models.js';
import { tamper } from '../support/tamper.js';
import { suite } from './suite.js';

async function inspect(store: Store): Promise<{ events: number; breaks: Break[]; slices: Inspection[] }> {
  const slices: Inspection[] = [];
  for await (const slice of store.log.inspect()) slices.push(slice);
  const events = slices.reduce((sum, slice) => sum + slice.events, 0);
  return { events, breaks: slices.flatMap(({ breaks }) => breaks), slices };
}

const rawInsert = (streamId: string, version: number) =>
  `insert into events (id, stream_id, stream_type, event_type, event_data, version)
   values ('${newEventId()}', '${streamId}', 'Raw', 'Raw', '{}', ${version})`;

export const auditSuite = suite('audit', {
  'a whole log has no breaks, every event is looked at, what is odd is counted': async ({ store }) => {
    expect((await inspect(store)).events).toBe(0);
    for (let index = 0; index < 20; index++) await append(store, `Order-${index % 4}`, makeEvents(3));
    const large = makeEvent({ data: JSON.stringify('x'.repeat(20_000)), metadata: '{"correlationId":"c"}' });
    const { globalPosition } = await store.log.append('Big-1', [large], 'any');
    const { events, breaks, slices } = await inspect(store);
    expect(events).toBe(61);
    expect(breaks).toEqual([]);
    expect(slices.at(-1)?.upTo).toBe(globalPosition);
    expect(slices.map(({ to }) => to)).toEqual(slices.map(() => globalPosition));
    const [first] = await readAll(store, { limit: 1 });
    expect(slices[0]?.oversized).toEqual({ events: 1, first: globalPosition });
    expect(slices[0]?.uncorrelated).toEqual({ events: 60, first: first?.globalPosition });
  },

  'versions that are missing or out of order are named': async (test) => {
    const { store } = test;
    await append(store, 'Hole-1', makeEvents(2));
    await tamper(test, rawInsert('Hole-1', 4), rawInsert('Late-1', 2), rawInsert('Late-1', 1));
    const { breaks } = await inspect(store);
    const stored = await readAll(store);
    const at = (streamId: string, version: number) =>
      stored.find((event) => event.streamId === streamId && event.version === version)?.globalPosition;
    expect(
      breaks.map(({ kind, streamId, version, globalPosition }) => ({ kind, streamId, version, globalPosition })),
    ).toEqual(
      expect.arrayContaining([
        { kind: 'missing-version', streamId: 'Hole-1', version: 4, globalPosition: at('Hole-1', 4) },
        { kind: 'wrong-order', streamId: 'Late-1', version: 2, globalPosition: at('Late-1', 2) },
      ]),
    );
    expect(breaks.every(({ streamId }) => streamId === 'Hole-1' || streamId === 'Late-1')).toBe(true);
  },

  'a tally agrees with what a reader is given': async ({ store }) => {
    for (let index = 0; index < 30; index++) {
      await append(
        store,
        `${index % 2 === 0 ? 'Order' : 'Cart'}-${index}`,
        makeEvents(2, (place) => ({ type: `T${place}` })),
      );
    }
    const { safeHead } = await store.log.head();
    for (const filter of [
      {},
      { category: 'Order' },
      { types: ['T1'] },
      { category: 'Cart', types: ['T0', 'none'] },
      { types: ['none'] },
    ]) {
      for (const range of [
        { after: 0, to: safeHead },
        { after: 7, to: 33 },
        { after: safeHead, to: safeHead },
      ]) {
        const ids = (await readAll(store, { ...filter, ...range })).map(({ id }) => id);
        expect(await store.log.tally(range, filter)).toEqual(tallyIds(ids));
      }
    }
  },

  'a cursor keeps what it was given, until somebody moves it by hand': async ({ store }) => {
    const lease = await startProjection(store);
    await append(store, 'Order-1', makeEvents(9));
    const filter = { types: ['OrderPlaced'] };
    const changes = rowChanges(totals, []);
    for (const [from, to] of [
      [0, 4],
      [4, 9],
    ] as const) {
      const ids = (await readAll(store, { ...filter, after: from, to })).map(({ id }) => id);
      await store.projections.apply({
        lease,
        from,
        to,
        lastEventId: ids.at(-1) ?? null,
        changes,
        seen: { filter, ...tallyIds(ids) },
      });
    }
    const [cursor] = await store.projections.cursors();
    const given = await store.log.tally({ after: 0, to: 9 }, filter);
    expect(cursor).toMatchObject({ name: registration.name, rebuild: null, position: 9, lastEventAt: 9 });
    expect(cursor?.audit).toEqual({ filter, after: 0, ...given });
    await append(store, 'Order-1', makeEvents(2));
    const ids = (await readAll(store, { after: 10 })).map(({ id }) => id);
    await store.projections.apply({
      lease,
      from: 9,
      to: 11,
      lastEventId: ids[0] ?? null,
      changes,
      seen: { filter, ...tallyIds(ids) },
    });
    const [skipped] = await store.projections.cursors();
    expect(skipped?.audit?.events).toBe(10);
    expect((await store.log.tally({ after: 0, to: 11 }, filter)).events).toBe(11);
    await store.projections.setCheckpoint(registration.name, 3);
    expect((await store.projections.cursors())[0]?.audit).toEqual({ filter, after: 3, events: 0, idSum: 0n });
  },

  'a batch without proof leaves none': async ({ store }) => {
    const lease = await startProjection(store);
    await append(store, 'Order-1', makeEvents(4));
    const seen = { filter: {}, ...tallyIds((await readAll(store, { to: 2 })).map(({ id }) => id)) };
    const changes = rowChanges(totals, []);
    await store.projections.apply({ lease, from: 0, to: 2, lastEventId: null, changes, seen });
    expect((await store.projections.cursors())[0]?.audit?.events).toBe(2);
    await store.projections.apply({ lease, from: 2, to: 4, lastEventId: null, changes });
    expect((await store.projections.cursors())[0]?.audit).toBeNull();
  },
});

/** A projection whose work is divided: one checkpoint for each part, and one moment in which that changes. */
import { expect } from 'vitest';
import { tallyIds } from '../../src/domain/audit.js';
import { isInPart, type Part, subscriptionIdOf } from '../../src/domain/parts.js';
import type { Lease, Store } from '../../src/store/store.js';
import { append, errorOf, makeEvents, readAll } from '../support/events.js';
import {
  buildNext,
  checkpointOf,
  expectFold,
  positionOf,
  readTotals,
  registration,
  request,
  runBatch,
  runToHead,
  startProjection,
  takeLease,
  totals,
} from '../support/read-models.js';
import { suite } from './suite.js';

const { name } = registration;
const options = { lockTimeoutMs: 2_000, keepOldMs: 3_600_000 };

async function place(store: Store, streams = 6): Promise<void> {
  for (let index = 0; index < streams * 2; index++) await append(store, `Order-${index % streams}`, makeEvents(2));
}

/** Takes the part's lease and writes the rows that are its own, to the head or up to `to`. */
async function runPart(store: Store, part: Part, to?: number): Promise<Lease> {
  const lease = await takeLease(store, checkpointOf(subscriptionIdOf(name, part)));
  await applyPart(store, lease, part, lease.position, to);
  return lease;
}

async function applyPart(store: Store, lease: Lease, part: Part, from: number, to?: number): Promise<number> {
  const given = await readAll(store, { after: from, ...(to !== undefined && { to }) });
  const end = to ?? (await store.log.head()).safeHead;
  const own = given.filter(({ streamId }) => isInPart(streamId, part));
  const keys = [...new Set(own.map(({ streamId }) => streamId))].map((stream_id) => ({ stream_id }));
  const stored = await store.projections.readRows(totals.name, totals, keys);
  const rows = new Map(stored.map((row) => [row.stream_id, row]));
  for (const { streamId, data } of own) {
    const row = rows.get(streamId);
    const total = Number(row?.total ?? 0) + Number((JSON.parse(data) as { total: number }).total);
    rows.set(streamId, { stream_id: streamId, events: Number(row?.events ?? 0) + 1, total });
  }
  await store.projections.apply({
    lease,
    from,
    to: end,
    lastEventId: given.at(-1)?.id ?? null,
    seen: { filter: {}, ...tallyIds(given.map(({ id }) => id)) },
    changes: { kind: 'rows', spec: totals, table: totals.name, upserts: [...rows.values()], deletes: [] },
  });
  return end;
}

async function divided(store: Store, parts: number): Promise<void> {
  const lease = await startProjection(store);
  await place(store);
  await runToHead(store, lease);
  await store.projections.releaseLease(lease);
  await store.projections.divide(name, parts);
}

export const partsSuite = suite('parts', {
  'each part goes on where the whole stood, and the whole where all parts stand': async ({ store }) => {
    await divided(store, 3);
    const position = (await store.log.head()).safeHead;
    const checkpoints = await store.projections.checkpoints();
    const ids = ['order_totals#1/3', 'order_totals#2/3', 'order_totals#3/3'];
    expect(checkpoints.map(({ subscriptionId }) => subscriptionId)).toEqual(ids);
    const [last] = (await readAll(store)).slice(-1);
    for (const checkpoint of checkpoints) expect(checkpoint).toMatchObject({ position, lastEventId: last?.id });
    expect(await store.projections.list()).toMatchObject([{ name, parts: 3 }]);
    await expectFold(store, position);
    await place(store);
    for (const index of [1, 2, 3]) {
      await store.projections.releaseLease(await runPart(store, { index, of: 3 }));
    }
    const head = (await store.log.head()).safeHead;
    await expectFold(store, head);
    for (const { audit } of await store.projections.cursors()) expect(audit).toMatchObject({ after: 0, events: 48 });
    await store.projections.divide(name, 1);
    expect((await store.projections.checkpoints()).map(({ subscriptionId }) => subscriptionId)).toEqual([name]);
    expect(await store.projections.list()).toMatchObject([{ parts: 1 }]);
    expect((await store.projections.cursors())[0]?.audit).toMatchObject({ after: 0, events: 48 });
    await place(store);
    await expectFold(store, await runToHead(store, await takeLease(store, checkpointOf(name))));
  },

  'who held the whole writes no more, and who held a part neither': async ({ store }) => {
    const zombie = await startProjection(store, 'zombie');
    await place(store);
    const position = await runBatch(store, zombie, 0, { batchSize: 5 });
    await store.projections.releaseLease(zombie);
    await store.projections.divide(name, 2);
    await errorOf('E_SUPERSEDED', runBatch(store, zombie, position));
    const part = await takeLease(store, checkpointOf(`${name}#1/2`), { owner: 'x', ttlMs: 1 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await store.projections.divide(name, 1);
    await errorOf('E_SUPERSEDED', applyPart(store, part, { index: 1, of: 2 }, position));
    await errorOf('E_SUPERSEDED', runBatch(store, zombie, position));
    const fresh = await takeLease(store, checkpointOf(name));
    expect(fresh.generation).toBeGreaterThan(part.generation);
    await expectFold(store, await runToHead(store, fresh));
  },

  'no checkpoint appears for a division that is not': async ({ store }) => {
    await divided(store, 2);
    await errorOf('E_SUPERSEDED', takeLease(store, checkpointOf(name)));
    await errorOf('E_SUPERSEDED', takeLease(store, checkpointOf(`${name}#1/3`)));
    await takeLease(store, checkpointOf(`${name}#2/2`));
    expect(await store.projections.checkpoints()).toHaveLength(2);
    await takeLease(store, checkpointOf('saga:order#1/3'));
    await takeLease(store, checkpointOf('mailer#1/3'));
  },

  'refused while somebody runs it, or a part of it, by name': async ({ store }) => {
    const lease = await startProjection(store, 'host:7');
    const whole = await errorOf('E_LOCK_HELD', store.projections.divide(name, 2));
    expect(whole.message).toContain('host:7 is running order_totals');
    await store.projections.releaseLease(lease);
    await store.projections.divide(name, 2);
    await takeLease(store, checkpointOf(`${name}#2/2`), { ...request, owner: 'host:8' });
    const part = await errorOf('E_LOCK_HELD', store.projections.divide(name, 1));
    expect(part.message).toContain('host:8 is running order_totals#2/2');
    expect(await store.projections.list()).toMatchObject([{ parts: 2 }]);
    await store.projections.divide(name, 2);
    await errorOf('E_NOT_FOUND', store.projections.divide('nobody', 2));
  },

  'refused while the parts stand at different positions': async ({ store }) => {
    await divided(store, 2);
    await place(store);
    await store.projections.releaseLease(await runPart(store, { index: 2, of: 2 }));
    for (const parts of [1, 3]) {
      const { why } = await errorOf('E_CHECK_FAILED', store.projections.divide(name, parts));
      expect(why).toContain('order_totals#1/2 at 24, order_totals#2/2 at 48');
    }
    expect(await store.projections.checkpoints()).toHaveLength(2);
    await store.projections.releaseLease(await runPart(store, { index: 1, of: 2 }));
    await store.projections.divide(name, 3);
    await expectFold(store, 48);
  },

  'a part that missed an event is not hidden by joining it': async ({ store, raw }) => {
    await divided(store, 2);
    await raw.query(`delete from subscription_checkpoints where subscription_id = 'order_totals#1/2'`);
    expect((await errorOf('E_NOT_FOUND', store.projections.divide(name, 1))).message).toContain('order_totals#1/2');
    await takeLease(store, checkpointOf(`${name}#1/2`), { owner: 'x', ttlMs: 1 });
    const lease = await takeLease(store, checkpointOf(`${name}#1/2`), { ...request, steal: true });
    const ids = (await readAll(store)).slice(1).map(({ id }) => id);
    const changes = { kind: 'rows', spec: totals, table: totals.name, upserts: [], deletes: [] } as const;
    const seen = { filter: {}, ...tallyIds(ids) };
    await store.projections.apply({ lease, from: 0, to: 24, lastEventId: ids.at(-1) ?? null, seen, changes });
    await store.projections.releaseLease(lease);
    await errorOf('E_UNSAFE_STORE', store.projections.divide(name, 1));
    expect(await store.projections.list()).toMatchObject([{ parts: 2 }]);
  },

  'eight at once: divided one way': async ({ store, open }) => {
    await divided(store, 1);
    const stores = await Promise.all(Array.from({ length: 8 }, () => open()));
    await Promise.allSettled(stores.map((each, index) => each.projections.divide(name, 1 + (index % 4))));
    const [record] = await store.projections.list();
    const checkpoints = await store.projections.checkpoints();
    expect(checkpoints).toHaveLength(record?.parts ?? 0);
    for (const { position } of checkpoints) expect(position).toBe(24);
    await expectFold(store, 24);
  },

  'the lease on the whole of a divided projection stops every part': async ({ store }) => {
    await divided(store, 2);
    await place(store);
    const first = await runPart(store, { index: 1, of: 2 });
    const second = await takeLease(store, checkpointOf(`${name}#2/2`));
    const whole = await takeLease(store, checkpointOf(name), { owner: 'swap', ttlMs: 60_000, steal: true });
    expect(whole.position).toBe(48);
    await errorOf('E_SUPERSEDED', applyPart(store, second, { index: 2, of: 2 }, 24));
    expect(await store.projections.renewLease(first, 60_000)).toBe(false);
    expect(await store.projections.renewLease(whole, 60_000)).toBe(true);
    await errorOf('E_LOCK_HELD', store.projections.divide(name, 1));
    await store.projections.releaseLease(whole);
    for (const { owner } of await store.projections.checkpoints()) expect(owner).toBeNull();
    await runPart(store, { index: 2, of: 2 });
    await expectFold(store, 48);
  },

  'a swap sets every part, and is taken back where they stood level': async ({ store }) => {
    await divided(store, 2);
    const built = await buildNext(store, 2);
    const live = await takeLease(store, checkpointOf(name), { ...request, steal: true });
    const swapped = await store.projections.swap(built.rebuild, { rebuild: built.lease, live }, options);
    expect(swapped.old).toMatchObject({ version: 1, position: 24 });
    expect(await store.projections.list()).toMatchObject([{ version: 2, parts: 2 }]);
    await errorOf(
      'E_SUPERSEDED',
      store.projections.apply({
        lease: { ...live, target: checkpointOf(`${name}#1/2`) },
        from: 24,
        to: 25,
        lastEventId: null,
        changes: { kind: 'rows', spec: totals, table: totals.name, upserts: [], deletes: [] },
      }),
    );
    await expectFold(store, 24);
    const fresh = await takeLease(store, checkpointOf(name), { ...request, steal: true });
    const back = await store.projections.rollback(swapped, { rebuild: built.lease, live: fresh }, options);
    expect(back.state).toBe('ready');
    expect((await store.projections.checkpoints()).map(({ position }) => position)).toEqual([24, 24]);
    await expectFold(store, 24);
  },

  'a swap takes the furthest part along; what it replaced cannot come back when they were not level': async ({
    store,
  }) => {
    await divided(store, 2);
    await place(store);
    const behind = await buildNext(store, 2, { to: 30 });
    await store.projections.releaseLease(await runPart(store, { index: 1, of: 2 }));
    const live = await takeLease(store, checkpointOf(name), { ...request, steal: true });
    const leases = { rebuild: behind.lease, live };
    await errorOf('E_SUPERSEDED', store.projections.swap(behind.rebuild, leases, options));
    const built = behind.rebuild.tables[0]?.built ?? '';
    await runToHead(store, { ...behind.lease, position: 30 }, { table: built, side: 'built' });
    const swapped = await store.projections.swap(behind.rebuild, leases, options);
    expect(swapped.old).toMatchObject({ version: 1, position: null });
    for (const { position } of await store.projections.checkpoints()) expect(position).toBe(48);
    await expectFold(store, 48);
    const fresh = await takeLease(store, checkpointOf(name), { ...request, steal: true });
    await errorOf(
      'E_CHECK_FAILED',
      store.projections.rollback(swapped, { rebuild: behind.lease, live: fresh }, options),
    );
    expect((await store.projections.retire(swapped)).state).toBe('retired');
    expect((await readTotals(store)).size).toBe(6);
    expect(await positionOf(store, `${name}#2/2`)).toBe(48);
  },

  'which code asks to run is kept beside the checkpoint, until the tables change': async ({ store }) => {
    const lease = await startProjection(store);
    expect((await store.projections.checkpoints())[0]?.code).toBeNull();
    await store.projections.releaseLease(lease);
    const code = { version: 2, codeHash: 'hash-2' };
    const again = await takeLease(store, checkpointOf(name), { ...request, code });
    expect((await store.projections.checkpoints())[0]?.code).toEqual(code);
    await store.projections.recordCode(name, { version: 3, codeHash: 'hash-3' });
    expect((await store.projections.checkpoints())[0]?.code).toEqual({ version: 3, codeHash: 'hash-3' });
    await store.projections.releaseLease(again);
    await store.projections.divide(name, 2);
    await store.projections.recordCode(name, code);
    expect((await store.projections.checkpoints()).map((each) => each.code)).toEqual([code, code]);
    const built = await buildNext(store, 2);
    const live = await takeLease(store, checkpointOf(name), { ...request, steal: true });
    await store.projections.swap(built.rebuild, { rebuild: built.lease, live }, options);
    expect((await store.projections.checkpoints()).map((each) => each.code)).toEqual([null, null]);
  },
});

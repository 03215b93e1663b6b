/** Broken stores, and the finding that each must bring up; and a store of which nothing is found after all it can go through. */
import { deepStrictEqual, strictEqual } from 'node:assert';
import { expect } from 'vitest';
import { tallyIds } from '../../src/domain/audit.js';
import type { EventBatch } from '../../src/domain/event.js';
import { newEventId } from '../../src/domain/uuid.js';
import { CatchUp } from '../../src/projection/catch-up/catch-up.js';
import type { Lease, ReadAllOptions, Store } from '../../src/store/store.js';
import { verifyStore } from '../../src/verify/verify.js';
import type { TestStore } from '../support/engines.js';
import { append, makeEvent, makeEvents } from '../support/events.js';
import { prepare } from '../support/prepare.js';
import {
  buildNext,
  checkpointOf,
  registration,
  runToHead,
  startProjection,
  takeLease,
} from '../support/read-models.js';
import { tamper } from '../support/tamper.js';
import { suite } from './suite.js';

const withId = { metadata: '{"correlationId":"c"}' };

export const integritySuite = suite('integrity', {
  'an empty store, and one that went through everything, are clean': async ({ store }) => {
    deepStrictEqual(await verify(store), { findings: [], checked: { events: 0, position: 0, cursors: 0, audited: 0 } });
    const live = await fill(store);
    const { rebuild, lease } = await buildNext(store, 2);
    expect(await verify(store)).toMatchObject({ findings: [], checked: { events: 6, cursors: 2, audited: 2 } });
    const leases = { rebuild: lease, live: await steal(store) };
    const swapped = await store.projections.swap(rebuild, leases, { lockTimeoutMs: 1_000, keepOldMs: 60_000 });
    await append(
      store,
      'Order-1',
      makeEvents(3, () => withId),
    );
    await runToHead(store, await steal(store));
    expect(await verify(store)).toMatchObject({ findings: [], checked: { events: 9, cursors: 2, audited: 2 } });
    const old = await takeLease(store, { kind: 'rebuild', id: swapped.id }, { owner: 'r', ttlMs: 60_000, steal: true });
    const from = swapped.old?.position ?? 0;
    await runToHead(store, { ...old, position: from }, { side: 'old', table: swapped.tables[0]?.old ?? '' });
    await store.projections.rollback(swapped, { rebuild: old, live: await steal(store) }, { lockTimeoutMs: 1_000 });
    await append(store, 'Order-1', [makeEvent(withId)]);
    await runToHead(store, await steal(store));
    expect(await verify(store)).toMatchObject({ findings: [], checked: { events: 10, cursors: 2, audited: 2 } });
    expect(live.generation).toBe(0);
  },

  'the audit follows the filter, and begins anew under another one': async ({ store }) => {
    await append(
      store,
      'Order-1',
      makeEvents(4, (index) => ({ ...withId, type: index % 2 === 0 ? 'A' : 'B' })),
    );
    await append(store, 'User-1', [makeEvent({ ...withId, type: 'A' })]);
    const lease = await startProjection(store);
    const ids = await idsOf(store);
    const give = (from: number, to: number, types: string[] | undefined, given: readonly number[], category?: string) =>
      store.projections.apply({
        lease,
        from,
        to,
        lastEventId: null,
        seen: {
          filter: { ...(types && { types }), ...(category && { category }) },
          ...tallyIds(given.map((position) => ids[position - 1] ?? '')),
        },
        changes: { kind: 'statements', statements: [] },
      });
    await give(0, 2, ['A', 'B'], [1, 2]);
    await give(2, 3, ['B', 'A'], [3]);
    expect(await auditOf(store)).toMatchObject({ after: 0, events: 3 });
    await give(3, 4, ['A'], [], 'Order');
    expect(await auditOf(store)).toMatchObject({ after: 3, events: 0 });
    await give(4, 5, ['A'], [], 'Order');
    expect(await kindsOf(store)).toEqual([]);
    await append(store, 'Order-1', [makeEvent({ ...withId, type: 'A' })]);
    await give(5, 6, ['A'], [], 'Order');
    expect(await kindsOf(store)).toEqual(['skipped-events order_totals']);
  },

  'a checkpoint moved by hand is not held against what it saw before': async ({ store }) => {
    await fill(store);
    await store.projections.setCheckpoint(registration.name, 2);
    expect(await auditOf(store)).toMatchObject({ after: 2, events: 0 });
    expect(await verify(store)).toMatchObject({ findings: [], checked: { cursors: 1, audited: 1 } });
    await runToHead(store, await steal(store));
    expect(await auditOf(store)).toMatchObject({ after: 2, events: 4 });
    expect(await verify(store)).toMatchObject({ findings: [], checked: { cursors: 1, audited: 1 } });
  },

  'missing-version: a hole, and a stream without its beginning': async (test) => {
    await fill(test.store);
    await tamper(test, "delete from events where stream_id = 'Order-1' and version in (1, 3)");
    const { findings } = await verify(test.store);
    const named = findings.filter(({ kind }) => kind === 'missing-version');
    expect(named.map(({ detail }) => detail)).toEqual([
      'has no version 1 before version 2 at position 2',
      'has no version 3 before version 4 at position 4',
    ]);
    expect(named.every(({ subject, severity }) => subject === 'Order-1' && severity === 'error')).toBe(true);
  },

  'wrong-order: two versions of a stream have changed places': async (test) => {
    await fill(test.store);
    const move = (from: number, to: number) =>
      `update events set version = ${to} where stream_id = 'Order-1' and version = ${from}`;
    await tamper(test, move(2, 100), move(3, 2), move(100, 3));
    expect(await kindsOf(test.store)).toEqual(['wrong-order Order-1']);
  },

  'duplicate-id and duplicate-version: keys that are gone, and what came in meanwhile': async (test) => {
    const [first] = (
      await append(
        test.store,
        'Order-1',
        makeEvents(2, () => withId),
      )
    ).events;
    await dropKeys(test);
    await tamper(
      test,
      `insert into events (id, stream_id, stream_type, event_type, schema_version, event_data, metadata, version${test.engine === 'sqlite' ? ', global_position, created_at' : ''})
       values ('${first?.id}', 'Order-1', 'Order', 'A', 1, '{}', '${withId.metadata}', 2${test.engine === 'sqlite' ? ", 3, '2026-01-01T00:00:00.000000Z'" : ''})`,
    );
    const kinds = await kindsOf(test.store);
    expect(kinds).toContain('duplicate-id Order-1');
    expect(kinds).toContain('duplicate-version Order-1');
    expect(kinds).toContain('broken-guard store');
  },

  'skipped-events: a runner that was not given an event, and one that came in below its checkpoint': async (test) => {
    const { store, raw, engine } = test;
    await fill(store);
    const forth = engine === 'postgres' ? ' overriding system value' : '';
    const insert = (position: number) =>
      `insert into events (global_position, id, stream_id, stream_type, event_type, event_data, metadata, version)${forth}
       values (${position}, '${newEventId()}', 'Late-${position}', 'Late', 'A', '{"total":1}', '${withId.metadata}', 1)`;
    await raw.query(insert(20));
    if (engine === 'postgres') await raw.query("select setval('events_global_position_seq', 20)");
    await runToHead(store, await steal(store));
    expect(await kindsOf(store)).toEqual([]);
    await tamper(test, insert(19));
    const { findings } = await verify(store);
    expect(findings).toEqual([
      {
        kind: 'skipped-events',
        severity: 'error',
        subject: 'order_totals',
        detail: 'saw 7 of the 8 events after position 0 up to 20, and skipped version 1 of Late-19 at position 19',
        next: 'evstore rebuild order_totals',
      },
    ]);
  },

  'skipped-events: a reader that loses an event on the way to the projection': async ({ store }) => {
    await append(
      store,
      'Order-1',
      makeEvents(5, () => withId),
    );
    const lossy = Object.assign(Object.create(store.log) as Store['log'], {
      readAll: (options: ReadAllOptions) => withoutPosition(3, store.log.readAll(options)),
    });
    const lease = await startProjection(store);
    const counter = prepare({
      kind: 'table',
      name: registration.name,
      version: 1,
      table: { columns: { streamId: 'text', events: 'integer', total: 'bigint' }, key: 'streamId' },
      on: { OrderPlaced: (row) => ({ events: Number(row?.events ?? 0) + 1 }) },
    });
    const { signal } = new AbortController();
    const catchUp = new CatchUp({ ...store, log: lossy }, counter, { lease, physical: String, position: 0, signal });
    for await (const { position } of catchUp.steps(5)) strictEqual(position, 5);
    expect(await kindsOf(store)).toEqual(['skipped-events order_totals']);
  },

  'skipped-events: a checkpoint pushed on in plain SQL, also of a rebuild': async ({ store, raw }) => {
    await fill(store);
    const { rebuild } = await buildNext(store, 2);
    await append(store, 'Order-1', [makeEvent(withId)]);
    expect(await kindsOf(store)).toEqual([]);
    await raw.query('update subscription_checkpoints set last_position = 7');
    await raw.query('update evstore_rebuilds set position = 7');
    expect(await kindsOf(store)).toEqual([
      'skipped-events order_totals',
      `skipped-events rebuild ${rebuild.id} of order_totals`,
    ]);
  },

  'vanished-events and other-events: history changed below a checkpoint': async (test) => {
    await fill(test.store);
    await append(test.store, 'Order-9', [makeEvent(withId)]);
    await tamper(test, `update events set id = '${newEventId()}' where global_position = 2`);
    expect(await kindsOf(await test.open())).toEqual(['other-events order_totals']);
    await tamper(test, 'delete from events where global_position = 4');
    expect(await kindsOf(await test.open())).toEqual(['vanished-events order_totals']);
  },

  'beyond-head and diverged: a checkpoint of another history': async ({ store, raw }) => {
    await fill(store);
    await raw.query("insert into subscription_checkpoints (subscription_id, last_position) values ('mailer', 99)");
    await raw.query(`update subscription_checkpoints set last_event_id = '${newEventId()}' where last_position = 6`);
    const { findings } = await verify(store);
    expect(findings.map(({ kind, subject, next }) => [kind, subject, next])).toEqual([
      ['beyond-head', 'mailer', 'evstore checkpoints set mailer --to-head --execute'],
      ['diverged', 'order_totals', 'evstore checkpoints reset order_totals --execute && evstore rebuild order_totals'],
    ]);
    const ids = await idsOf(store);
    await raw.query("delete from subscription_checkpoints where subscription_id = 'mailer'");
    await raw.query(`update subscription_checkpoints set last_position = 2, last_event_id = '${ids[5]}'`);
    expect(await kindsOf(store)).toEqual(['diverged order_totals']);
  },

  'broken-guard: every one that is broken': async ({ store, raw, engine }) => {
    if (engine === 'postgres') await raw.query('alter table events disable trigger user');
    else
      await raw.query('drop trigger evstore_no_update; drop trigger evstore_no_delete; drop trigger evstore_versions');
    expect(await kindsOf(store)).toEqual(['broken-guard store', 'broken-guard store', 'broken-guard store']);
  },

  'oversized and uncorrelated: warnings, counted': async ({ store }) => {
    const large = makeEvent({ data: JSON.stringify('x'.repeat(10_240)), ...withId });
    await store.log.append('Order-1', [makeEvent(withId), large, makeEvent()], 'any');
    await append(store, 'Order-2', [makeEvent({ metadata: '{"correlationId":null}' })]);
    expect(await verify(store)).toEqual({
      findings: [
        warning('oversized', 'has 1 event above 10 KB, the first at position 2', 'evstore read --after 1 -n 1'),
        warning(
          'uncorrelated',
          'has 2 events without a correlation id, the first at position 3',
          'evstore read --after 2 -n 1',
        ),
      ],
      checked: { events: 4, position: 4, cursors: 0, audited: 0 },
    });
  },

  'thousands of broken events are counted, not all named': async (test) => {
    for (let n = 0; n < 120; n++)
      await append(
        test.store,
        `Order-${n}`,
        makeEvents(2, () => withId),
      );
    await tamper(test, 'delete from events where version = 1');
    const { findings } = await verify(test.store);
    expect(findings).toHaveLength(101);
    expect(findings.at(-1)).toMatchObject({ subject: 'log', detail: 'has 20 more events of this kind' });
  },

  'a signal ends it between two slices': async ({ store }) => {
    await fill(store);
    const stopped = new Error('stopped');
    const signal = AbortSignal.abort(stopped);
    await expect(verifyStore(store, { progress: () => {}, signal })).rejects.toBe(stopped);
  },
});

export const integrityPostgresSuite = suite(
  'integrity',
  {
    'skipped-events: without the floor, a low position that commits late': async ({ store, raw, connect }) => {
      await raw.query('drop trigger "00_evstore_floor" on events');
      const slow = await connect();
      await slow.query('begin');
      await slow.query(
        `insert into events (stream_id, stream_type, event_type, event_data, version)
         values ('Slow-1', 'Slow', 'Slow', '{"total":1}', 1)`,
      );
      await append(store, 'Order-1', [makeEvent(withId)]);
      await runToHead(store, await startProjection(store));
      await slow.query('commit');
      expect(await kindsOf(store)).toEqual(['broken-guard store', 'uncorrelated log', 'skipped-events order_totals']);
    },
  },
  { engines: ['postgres'] },
);

/** Six events in two streams, and a projection that has seen them. */
async function fill(store: Store): Promise<Lease> {
  await append(
    store,
    'Order-1',
    makeEvents(4, () => withId),
  );
  await append(
    store,
    'Order-2',
    makeEvents(2, () => withId),
  );
  const lease = await startProjection(store);
  await runToHead(store, lease, { batchSize: 4 });
  return lease;
}

async function* withoutPosition(lost: number, batches: AsyncIterable<EventBatch>): AsyncGenerator<EventBatch> {
  for await (const { events, upTo } of batches) {
    yield { events: events.filter(({ globalPosition }) => globalPosition !== lost), upTo };
  }
}

function verify(store: Store) {
  return verifyStore(store, { progress: () => {}, signal: new AbortController().signal });
}

async function kindsOf(store: Store): Promise<readonly string[]> {
  return (await verify(store)).findings.map(({ kind, subject }) => `${kind} ${subject}`);
}

async function auditOf(store: Store) {
  const cursors = await store.projections.cursors();
  return cursors.find(({ name, rebuild }) => name === registration.name && rebuild === null)?.audit;
}

async function idsOf(store: Store): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const { events } of store.log.readAll()) ids.push(...events.map(({ id }) => id));
  return ids;
}

function steal(store: Store): Promise<Lease> {
  return takeLease(store, checkpointOf(registration.name), { owner: 'host:1', ttlMs: 60_000, steal: true });
}

/** SQLite has no statement for it: the rows go into a table without keys. */
async function dropKeys({ engine, raw }: TestStore): Promise<void> {
  if (engine === 'postgres') {
    await raw.query('alter table events drop constraint events_id_key, drop constraint events_stream_version_key');
  } else {
    await raw.query(
      'create table keyless as select * from events; drop table events; alter table keyless rename to events',
    );
  }
}

function warning(kind: string, detail: string, next: string) {
  return { kind, severity: 'warning', subject: 'log', detail, next };
}

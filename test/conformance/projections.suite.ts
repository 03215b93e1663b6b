import { expect } from 'vitest';
import type { StoredRow, TableSpec } from '../../src/domain/read-model.js';
import { append, errorOf, failureOf, makeEvents } from '../support/events.js';
import {
  allTypes,
  checkpointOf,
  expectFold,
  positionOf,
  registration,
  request,
  rowChanges,
  runBatch,
  runToHead,
  startProjection,
  takeLease,
  totals,
  totalsModel,
} from '../support/read-models.js';
import { suite } from './suite.js';

const target = checkpointOf(registration.name);
const wide: TableSpec = { name: 'wide', columns: allTypes, key: ['id'], indexes: [] };
const nothing = { lastEventId: null, changes: rowChanges(totals, []) };

export const projectionsSuite = suite('projections', {
  'registering makes the table and a checkpoint at 0, once': async ({ store }) => {
    expect(await store.projections.list()).toEqual([]);
    const record = await store.projections.register(registration);
    expect(record).toMatchObject({ name: 'order_totals', version: 1, codeHash: 'hash-1', tables: ['order_totals'] });
    expect(record.registeredAt).toMatch(/Z$/);
    expect(await store.projections.register({ ...registration, version: 2, codeHash: 'hash-2' })).toEqual(record);
    expect(await store.projections.list()).toEqual([record]);
    expect(await store.projections.countRows('order_totals')).toBe(0);
    expect(await positionOf(store)).toBe(0);
    expect(await store.projections.checkpoints()).toMatchObject([{ owner: null, lastError: null, lastEventId: null }]);
  },

  'a table of somebody else is refused and left alone': async ({ store, raw }) => {
    await raw.query('create table order_totals (mine text)');
    await raw.query(`insert into order_totals values ('kept')`);
    await errorOf('E_FOREIGN_TABLE', store.projections.register(registration));
    expect(await raw.query('select mine from order_totals')).toEqual([{ mine: 'kept' }]);
    expect(await store.projections.list()).toEqual([]);
    expect(await positionOf(store)).toBeUndefined();
  },

  'rows and checkpoint move together': async ({ store }) => {
    const lease = await startProjection(store);
    for (let index = 0; index < 12; index++) await append(store, `Order-${index % 3}`, makeEvents(2));
    let position = lease.position;
    for (let round = 0; round < 3; round++) {
      position = await runBatch(store, lease, position, { batchSize: 5 });
      expect(await positionOf(store)).toBe(position);
      await expectFold(store, position);
    }
    const head = await runToHead(store, { ...lease, position }, { batchSize: 5 });
    expect(head).toBe((await store.log.head()).safeHead);
    await expectFold(store, head);
  },

  'a statement that would end the transaction is refused, whatever stands before it': async ({ store }) => {
    const lease = await startProjection(store);
    await append(store, 'Order-1');
    for (const text of [
      'commit',
      ' \n ;rollback',
      '-- so far\ncommit',
      '/* all */ /* of it */ Commit',
      '--\n-- a\n;end',
    ]) {
      const changes = { kind: 'statements', statements: [{ parts: [{ kind: 'text', text }] }] } as const;
      await errorOf('E_HANDLER', store.projections.apply({ lease, from: 0, to: 1, lastEventId: null, changes }));
      expect(await positionOf(store), text).toBe(0);
    }
    const comment = { kind: 'text', text: '/* commit */ delete from order_totals' } as const;
    const changes = { kind: 'statements', statements: [{ parts: [comment] }] } as const;
    await store.projections.apply({ lease, from: 0, to: 1, lastEventId: null, changes });
    expect(await positionOf(store)).toBe(1);
  },

  'R6: a batch that fails leaves neither': async ({ store, raw, engine }) => {
    const lease = await startProjection(store);
    await append(store, 'Order-1');
    const before = await runToHead(store, lease);
    await append(store, 'Order-2', makeEvents(3));
    await raw.query(
      engine === 'postgres'
        ? 'alter table order_totals add constraint few check (events < 3)'
        : `create trigger few before insert on order_totals when new.events >= 3 begin select raise(abort, 'few'); end`,
    );
    expect(await failureOf(runBatch(store, lease, before))).toBeInstanceOf(Error);
    expect(await positionOf(store)).toBe(before);
    await expectFold(store, before);
  },

  'a batch from another position is superseded': async ({ store }) => {
    const lease = await startProjection(store);
    await append(store, 'Order-1', makeEvents(4));
    const position = await runBatch(store, lease, 0, { batchSize: 2 });
    await errorOf('E_SUPERSEDED', runBatch(store, lease, 0, { batchSize: 2 }));
    await errorOf('E_SUPERSEDED', store.projections.apply({ lease, from: position + 1, to: position + 2, ...nothing }));
    expect(await positionOf(store)).toBe(position);
    await expectFold(store, position);
  },

  'R2: the lease has one holder': async ({ store, open }) => {
    const first = await startProjection(store, 'host:1');
    const other = await open();
    const answer = await other.projections.acquireLease(target, { ...request, owner: 'host:2' });
    expect(answer).toMatchObject({ held: true, owner: 'host:1' });
    expect(answer.held && answer.expiresInMs).toBeGreaterThan(0);
    expect(answer.held && answer.expiresInMs).toBeLessThanOrEqual(60_000);
    expect(await store.projections.checkpoints()).toMatchObject([{ owner: 'host:1' }]);
    await store.projections.releaseLease(first);
    const second = await takeLease(other, target, { ...request, owner: 'host:2' });
    expect(second.token).toBeGreaterThan(first.token);
    await store.projections.releaseLease(first);
    expect((await store.projections.acquireLease(target, request)).held).toBe(true);
    expect(await store.projections.renewLease(first, 60_000)).toBe(false);
    expect(await other.projections.renewLease(second, 60_000, { rate: 12.5 })).toBe(true);
    expect(await store.projections.checkpoints()).toMatchObject([{ owner: 'host:2', rate: 12.5 }]);
  },

  'an expired lease is free': async ({ store }) => {
    await store.projections.register(registration);
    const first = await takeLease(store, target, { owner: 'host:1', ttlMs: 1 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await store.projections.checkpoints()).toMatchObject([{ owner: null }]);
    const second = await takeLease(store, target, { owner: 'host:2', ttlMs: 60_000 });
    expect(second.token).toBeGreaterThan(first.token);
    expect(await store.projections.renewLease(first, 60_000)).toBe(false);
  },

  'eight at once: one gets the lease': async ({ store, open }) => {
    await store.projections.register(registration);
    const stores = await Promise.all(Array.from({ length: 8 }, () => open()));
    const answers = await Promise.all(
      stores.map((each, index) => each.projections.acquireLease(target, { ...request, owner: `host:${index}` })),
    );
    expect(answers.filter(({ held }) => !held)).toHaveLength(1);
  },

  'R3: an old token never writes': async ({ store, open }) => {
    const zombie = await startProjection(store, 'zombie');
    await append(store, 'Order-1', makeEvents(6));
    const position = await runBatch(store, zombie, 0, { batchSize: 2 });
    const other = await open();
    const taken = await takeLease(other, target, { owner: 'fresh', ttlMs: 60_000, steal: true });
    expect(taken).toMatchObject({ position });
    await errorOf('E_SUPERSEDED', runBatch(store, zombie, position, { batchSize: 2 }));
    await expectFold(store, position);
    const next = await runBatch(other, taken, position, { batchSize: 2 });
    await errorOf('E_SUPERSEDED', runBatch(store, zombie, position, { batchSize: 2 }));
    await errorOf('E_SUPERSEDED', runBatch(store, zombie, next, { batchSize: 2 }));
    await runToHead(other, { ...taken, position: next });
    await expectFold(store, (await store.log.head()).safeHead);
  },

  'a checkpoint moved by hand stops its runner': async ({ store }) => {
    const lease = await startProjection(store);
    await append(store, 'Order-1', makeEvents(4));
    const position = await runBatch(store, lease, 0, { batchSize: 2 });
    const [before] = await store.projections.checkpoints();
    await store.projections.setCheckpoint(registration.name, position);
    const [after] = await store.projections.checkpoints();
    expect(after?.generation).toBeGreaterThan(before?.generation ?? 0);
    await errorOf('E_SUPERSEDED', runBatch(store, lease, position));
    await expectFold(store, position);
    await store.projections.setCheckpoint(registration.name, 1);
    expect(await positionOf(store)).toBe(1);
    await store.projections.setCheckpoint(registration.name, null);
    expect(await positionOf(store)).toBeUndefined();
    await errorOf('E_NOT_FOUND', store.projections.setCheckpoint(registration.name, 5));
  },

  'a change by hand is recorded with who, when, from, to and why, newest first': async ({ store, raw }) => {
    await store.projections.register(registration);
    await append(store, 'Order-1', makeEvents(4));
    await raw.query(`insert into subscription_checkpoints (subscription_id, last_position) values ('mailer', 4)`);
    expect(await store.projections.checkpointChanges()).toEqual([]);
    const byHand = { by: 'ann@desk', command: `evstore checkpoints set mailer --reason "it's late"`, reason: null };
    const back = { ...byHand, from: 4, events: 3, estimated: false, reason: 'it said "no" \\ ü' };
    await store.projections.setCheckpoint('mailer', 1, back);
    await store.projections.setCheckpoint('mailer', null, { ...byHand, from: 1, events: null, estimated: true });
    await store.projections.setCheckpoint(registration.name, 2, { ...byHand, from: 0, events: 2, estimated: false });
    const changes = await store.projections.checkpointChanges();
    expect(changes.map(({ subscriptionId, from, to }) => [subscriptionId, from, to])).toEqual([
      [registration.name, 0, 2],
      ['mailer', 1, null],
      ['mailer', 4, 1],
    ]);
    expect(await store.projections.checkpointChanges('mailer')).toEqual([
      { ...changes[1], subscriptionId: 'mailer', ...byHand, from: 1, to: null, events: null, estimated: true },
      { ...back, subscriptionId: 'mailer', to: 1, at: expect.stringMatching(/^20.*Z$/) },
    ]);
    expect(await store.projections.checkpointChanges('unknown')).toEqual([]);
  },

  'a change by hand that was decided for another position changes and records nothing': async ({ store }) => {
    await store.projections.register(registration);
    await append(store, 'Order-1', makeEvents(4));
    const change = { from: 3, events: 1, estimated: false, by: 'ann@desk', command: 'evstore', reason: null };
    await errorOf('E_SUPERSEDED', store.projections.setCheckpoint(registration.name, 4, change));
    await errorOf('E_SUPERSEDED', store.projections.setCheckpoint(registration.name, null, change));
    await errorOf('E_NOT_FOUND', store.projections.setCheckpoint('unknown', 4, change));
    expect(await positionOf(store)).toBe(0);
    expect(await store.projections.checkpointChanges()).toEqual([]);
  },

  'moves by runners, and moves that record nothing, are not changes by hand': async ({ store }) => {
    const lease = await startProjection(store);
    await append(store, 'Order-1', makeEvents(4));
    await runToHead(store, lease);
    expect(await positionOf(store)).toBe(4);
    expect(await store.projections.checkpointChanges()).toEqual([]);
  },

  'the checkpoint remembers its last event and the last error': async ({ store }) => {
    const lease = await startProjection(store);
    const { events } = await append(store, 'Order-1', makeEvents(2));
    await runToHead(store, lease);
    await store.projections.recordError(registration.name, 'it broke');
    expect(await store.projections.checkpoints()).toMatchObject([
      { position: events[1]?.globalPosition, lastEventId: events[1]?.id, lastError: 'it broke' },
    ]);
    await store.projections.recordError(registration.name, null);
    expect(await store.projections.checkpoints()).toMatchObject([{ lastError: null }]);
  },

  'foreign subscriptions are listed': async ({ store, raw }) => {
    await store.projections.register(registration);
    await append(store, 'Order-1');
    await raw.query(`insert into subscription_checkpoints (subscription_id, last_position) values ('mailer', 1)`);
    const checkpoints = await store.projections.checkpoints();
    expect(checkpoints.map(({ subscriptionId, position }) => [subscriptionId, position]).sort()).toEqual([
      ['mailer', 1],
      ['order_totals', 0],
    ]);
  },

  'values of every type, null too, come back as they went in': async ({ store }) => {
    await store.projections.register({ name: 'wide', version: 1, codeHash: 'x', model: { kind: 'table', spec: wide } });
    const lease = await takeLease(store, checkpointOf('wide'));
    await append(store, 'Order-1', makeEvents(3));
    const full: StoredRow = {
      id: '0b3f8a52-7c1d-4e65-9a10-2f8d6f0c9b11',
      a_text: `it's "odd" \\ \n ü 🎉 $1 ?`,
      an_integer: -2_147_483_648,
      a_bigint: Number.MAX_SAFE_INTEGER,
      a_real: 0.1 + 0.2,
      a_numeric: '12345678901234567890.12345678901234567890',
      a_boolean: true,
      a_json: '{"b":[1.10,null],"a":"x"}',
      a_timestamp: '2026-01-02T03:04:05.678901Z',
    };
    const empty = Object.fromEntries(Object.keys(full).map((name) => [name, null]));
    const second: StoredRow = { ...empty, id: '1b3f8a52-7c1d-4e65-9a10-2f8d6f0c9b11' };
    const third: StoredRow = {
      ...full,
      id: '2b3f8a52-7c1d-4e65-9a10-2f8d6f0c9b11',
      a_boolean: false,
      a_numeric: '10.50',
    };
    const batch = { lease, lastEventId: null };
    const keys = [full, second, third].map(({ id = null }) => ({ id }));
    const read = async () =>
      [...(await store.projections.readRows('wide', wide, keys))].sort((a, b) =>
        String(a.id) < String(b.id) ? -1 : 1,
      );
    await store.projections.apply({ ...batch, from: 0, to: 1, changes: rowChanges(wide, [full, second, third]) });
    expect(await read()).toEqual([full, second, third]);
    const changed = { ...third, a_text: null, an_integer: 7, a_timestamp: '1969-12-31T23:59:59.999Z' };
    await store.projections.apply({
      ...batch,
      from: 1,
      to: 2,
      changes: rowChanges(wide, [changed], [{ id: full.id ?? null }]),
    });
    expect(await read()).toEqual([second, changed]);
    expect(await store.projections.countRows('wide')).toBe(2);
    expect(await store.projections.readRows('wide', wide, [])).toEqual([]);
  },

  'a key of several columns, and many rows at once': async ({ store }) => {
    const spec: TableSpec = {
      name: 'pairs',
      columns: [
        { name: 'left_id', type: 'text' },
        { name: 'right_id', type: 'integer' },
        { name: 'n', type: 'bigint' },
      ],
      key: ['left_id', 'right_id'],
      indexes: [{ columns: ['n', 'left_id'], unique: true }],
    };
    await store.projections.register({ name: 'pairs', version: 1, codeHash: 'x', model: { kind: 'table', spec } });
    const lease = await takeLease(store, checkpointOf('pairs'));
    await append(store, 'Order-1', makeEvents(2));
    const rows = Array.from({ length: 5_000 }, (_, n) => ({ left_id: `l${n % 50}`, right_id: n, n }));
    await store.projections.apply({ lease, from: 0, to: 1, lastEventId: null, changes: rowChanges(spec, rows) });
    expect(await store.projections.countRows('pairs')).toBe(5_000);
    const keys = rows.map(({ left_id, right_id }) => ({ left_id, right_id }));
    expect(await store.projections.readRows('pairs', spec, keys)).toHaveLength(5_000);
    expect(await store.projections.readRows('pairs', spec, [{ left_id: 'l1', right_id: 2 }])).toEqual([]);
    const changes = rowChanges(spec, [], keys.slice(1));
    await store.projections.apply({ lease, from: 1, to: 2, lastEventId: null, changes });
    expect(await store.projections.readRows('pairs', spec, keys)).toEqual([rows[0]]);
  },

  'statements: identifiers quoted, values kept apart': async ({ store, raw }) => {
    await store.projections.register({
      name: 'notes',
      version: 1,
      codeHash: 'x',
      model: {
        kind: 'sql',
        tables: ['notes'],
        create: (physical) => [
          {
            parts: [
              { kind: 'text', text: 'create table ' },
              { kind: 'identifier', name: physical('notes') },
              { kind: 'text', text: ' (id integer primary key, note text)' },
            ],
          },
        ],
      },
    });
    const lease = await takeLease(store, checkpointOf('notes'));
    await append(store, 'Order-1');
    const hostile = `'; drop table notes;-- $1 ? :x`;
    await store.projections.apply({
      lease,
      from: 0,
      to: 1,
      lastEventId: null,
      changes: {
        kind: 'statements',
        statements: [1, 2].map((id) => ({
          parts: [
            { kind: 'text', text: 'insert into ' },
            { kind: 'identifier', name: 'notes' },
            { kind: 'text', text: ' (id, note) values (' },
            { kind: 'value', value: id },
            { kind: 'text', text: ', ' },
            { kind: 'value', value: hostile },
            { kind: 'text', text: ')' },
          ],
        })),
      },
    });
    expect(await raw.query('select id, note from notes order by id')).toEqual([
      { id: 1, note: hostile },
      { id: 2, note: hostile },
    ]);
    expect(await positionOf(store, 'notes')).toBe(1);
  },

  'inspecting says what is there': async ({ store }) => {
    await store.projections.register({ ...registration, model: totalsModel });
    const [facts, missing] = await store.projections.inspectTables(['order_totals', 'nobody_has_this']);
    expect(facts).toMatchObject({ table: 'order_totals', exists: true, blocking: [] });
    expect(facts?.indexes.length).toBeGreaterThan(0);
    expect(missing).toMatchObject({ table: 'nobody_has_this', exists: false });
  },
});

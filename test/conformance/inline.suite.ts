/** Rows that are written in the transaction of the append, and a runner beside it. */
import { expect } from 'vitest';
import type { EvstoreError } from '../../src/domain/errors.js';
import type { AppendedEvent } from '../../src/domain/event.js';
import { defineSqlProjection, type Projection, type TableProjection } from '../../src/projection/define/definition.js';
import { sql } from '../../src/projection/define/sql-tag.js';
import { toInlineProjection } from '../../src/projection/fold/deferred-fold.js';
import { retryParked } from '../../src/projection/parked/retry-parked.js';
import type { AppliedBatch, Store } from '../../src/store/store.js';
import { append, errorOf, makeEvent, makeEvents, readStream } from '../support/events.js';
import {
  appendInline,
  expectTraces,
  insertRaw,
  orderLines,
  positionTraces,
  readMarks,
  readPositions,
  readTraces,
  register,
  runOnce,
  runParking,
  tracesOf,
} from '../support/inline-models.js';
import { prepare } from '../support/prepare.js';
import { positionOf } from '../support/read-models.js';
import { suite } from './suite.js';

const traces = tracesOf(1);

export const inlineSuite = suite('inline', {
  'the rows are there when the append is': async (test) => {
    const { store } = test;
    await register(store, traces);
    const { events } = await appendInline(store, [traces], 'Order-1', makeEvents(2));
    expect(await readTraces(store)).toEqual(new Map([['Order-1', ' 1 2']]));
    expect(await positionOf(store, traces.name)).toBe(0);
    expect(await readMarks(test)).toEqual({ 'order_traces/live': events.map(({ globalPosition }) => globalPosition) });
    await appendInline(store, [traces], 'Order-1', makeEvents(1), 2);
    await expectTraces(store);
  },

  'a runner passes over them and takes the marks off': async (test) => {
    const { store } = test;
    await register(store, traces);
    for (let round = 0; round < 5; round++) await appendInline(store, [traces], `Order-${round % 2}`, makeEvents(3));
    await runOnce(store, traces);
    await expectTraces(store);
    expect(await readMarks(test)).toEqual({});
    expect(await positionOf(store, traces.name)).toBe((await store.log.head()).safeHead);
    await appendInline(store, [traces], 'Order-0');
    await expectTraces(store);
  },

  'a handler that throws: no event and no row': async (test) => {
    const { store } = test;
    await register(store, traces, positionTraces);
    await appendInline(store, [traces], 'Order-1');
    const refused = [makeEvent(), makeEvent({ type: 'OrderRefused' })];
    for (const streamId of ['Order-1', 'Order-2']) {
      const error = await errorOf('E_HANDLER', appendInline(store, [positionTraces, traces], streamId, refused));
      expect(error).toMatchObject({
        details: { projection: 'order_traces', streamId },
      } satisfies Partial<EvstoreError>);
      expect(`${error.message} ${error.why}`).toContain('refused by the handler');
    }
    expect(await readStream(store, 'Order-2')).toEqual([]);
    expect(await readPositions(store)).toEqual([]);
    await expectTraces(store);
    await appendInline(store, [traces], 'Order-1');
    await expectTraces(store);
  },

  'a runner stops at, or parks, what another program appended and the handler refuses': async (test) => {
    const { store } = test;
    await register(store, traces);
    await appendInline(store, [traces], 'Order-1', makeEvents(2));
    const { events } = await append(store, 'Order-1', [makeEvent(), makeEvent({ type: 'OrderRefused' }), makeEvent()]);
    await appendInline(store, [traces], 'Order-2', makeEvents(2));
    const position = events[1]?.globalPosition ?? 0;
    const error = await errorOf('E_HANDLER', runOnce(store, traces));
    expect(error).toMatchObject({
      details: { globalPosition: position },
      message: expect.stringContaining('OrderRefused'),
    });
    expect(await positionOf(store, traces.name)).toBe(position - 1);
    await expectTraces(store, { except: { 'Order-1': ' 1 2 3' } });
    await runParking(store, traces);
    await expectTraces(store, { except: { 'Order-1': ' 1 2 3' } });
    await appendInline(store, [traces], 'Order-1');
    await appendInline(store, [traces], 'Order-2');
    await expectTraces(store, { except: { 'Order-1': ' 1 2 3' } });
  },

  'a row the database refuses: no event': async ({ store, raw }) => {
    await register(store, orderLines, traces);
    await raw.query('create unique index order_lines_once on order_lines (stream_id)');
    await appendInline(store, [orderLines, traces], 'Order-1');
    const error = await errorOf('E_HANDLER', appendInline(store, [orderLines, traces], 'Order-1'));
    expect(error.details).toMatchObject({ projection: 'order_lines' });
    expect(await readStream(store, 'Order-1')).toHaveLength(1);
    await expectTraces(store);
  },

  'the same request again applies nothing again': async (test) => {
    const { store } = test;
    await register(store, traces);
    const request = makeEvents(3);
    const first = await appendInline(store, [traces], 'Order-1', request, 0);
    expect(await appendInline(store, [traces], 'Order-1', request, 0)).toEqual({ ...first, deduplicated: true });
    await errorOf('E_VERSION_CONFLICT', appendInline(store, [traces], 'Order-1', makeEvents(1), 0));
    await expectTraces(store);
    expect((await readMarks(test))['order_traces/live']).toHaveLength(3);
  },

  'raw INSERTs before, between and after: what comes behind one waits with it': async (test) => {
    const { store, raw } = test;
    await register(store, traces);
    await raw.query(insertRaw('Order-1', 2));
    await appendInline(store, [traces], 'Order-1');
    await appendInline(store, [traces], 'Order-2', makeEvents(2));
    await raw.query(insertRaw('Order-2'));
    await appendInline(store, [traces], 'Order-2');
    await appendInline(store, [traces], 'Order-1');
    expect(await readTraces(store)).toEqual(new Map([['Order-2', ' 1 2']]));
    await runOnce(store, traces);
    await expectTraces(store);
    await appendInline(store, [traces], 'Order-1');
    await appendInline(store, [traces], 'Order-2');
    await expectTraces(store);
    await raw.query(insertRaw('Order-1'));
    await runOnce(store, traces);
    await expectTraces(store);
  },

  'appends without the code, and imports, wait for the runner': async ({ store }) => {
    await register(store, traces);
    await append(store, 'Order-1');
    await appendInline(store, [traces], 'Order-1');
    await store.log.importEvents([{ ...makeEvent(), streamId: 'Order-2' }], { conflict: 'fail' });
    await appendInline(store, [traces], 'Order-2');
    await appendInline(store, [traces], 'Order-3');
    expect(await readTraces(store)).toEqual(new Map([['Order-3', ' 1']]));
    await runOnce(store, traces);
    await expectTraces(store);
  },

  'other code than made the rows leaves them alone': async (test) => {
    const { store } = test;
    await register(store, traces);
    const left = await appendInline(store, [tracesOf(2)], 'Order-1');
    expect(left.inlineLeft).toEqual(['order_traces']);
    const other = { ...traces, codeHash: 'inline:other' };
    expect((await appendInline(store, [other], 'Order-2')).inlineLeft).toEqual(['order_traces']);
    const failing = { inline: [toInlineProjection(tracesOf(2))], staleInline: 'fail' } as const;
    await errorOf('E_STALE_PROJECTION', store.log.append('Order-3', [makeEvent()], 'any', failing));
    expect((await store.log.find((left.events[0] as AppendedEvent).id))?.streamId).toBe('Order-1');
    expect(await readStream(store, 'Order-3')).toEqual([]);
    expect(await readTraces(store)).toEqual(new Map());
    expect(await readMarks(test)).toEqual({});
    await runOnce(store, traces);
    await expectTraces(store);
  },

  'the same definition writes the rows, whatever is known about its functions': async (test) => {
    const { store } = test;
    await register(store, traces);
    const compiled = { ...traces, codeHash: `${traces.codeHash.split(';')[0]}` };
    expect(compiled.codeHash).not.toBe(traces.codeHash);
    const { inlineLeft } = await appendInline(store, [compiled], 'Order-1');
    expect(inlineLeft).toBeUndefined();
    await expectTraces(store);
  },

  'code that became async under the same version passes over what is marked': async ({ store }) => {
    await register(store, traces);
    await appendInline(store, [traces], 'Order-1', makeEvents(3));
    const { definition } = traces;
    await runOnce(store, prepare({ ...definition, mode: 'async' } as Projection));
    await expectTraces(store);
  },

  'several in one append, each with the events it wants': async (test) => {
    const { store } = test;
    await register(store, traces, positionTraces, orderLines);
    const all = [orderLines, traces, positionTraces];
    const mixed = () => [makeEvent(), makeEvent({ type: 'OrderPaid' })];
    const first = await appendInline(store, all, 'Order-1', mixed());
    const second = await appendInline(store, all, 'Orders-1', mixed());
    const positions = [...first.events, ...second.events].map(({ globalPosition }) => globalPosition);
    expect(await readMarks(test)).toEqual({
      'order_lines/live': positions.slice(0, 1),
      'order_traces/live': positions,
      'position_traces/live': positions,
    });
    expect(await readPositions(store)).toEqual(positions);
    await runOnce(store, traces, positionTraces, orderLines);
    expect(await readMarks(test)).toEqual({});
    expect(await readPositions(store)).toEqual(positions);
    expect(await store.projections.countRows('order_lines')).toBe(1);
    await expectTraces(store);
  },

  'from many connections, to one stream and to many, beside a runner': async (test) => {
    const { store } = test;
    await register(store, traces, positionTraces);
    const stores = [store, ...(await Promise.all([1, 2, 3].map(() => test.open())))];
    const stop = new AbortController();
    const running = (async () => {
      while (!stop.signal.aborted) await runOnce(store, traces, positionTraces);
    })();
    await Promise.all(
      stores.map(async (each, index) => {
        for (let round = 0; round < 15; round++) {
          await appendInline(
            each,
            [traces, positionTraces],
            round % 2 === 0 ? 'Shared-1' : `Order-${index}`,
            makeEvents(2),
          );
        }
      }),
    );
    stop.abort();
    await running;
    await runOnce(store, traces, positionTraces);
    await expectTraces(store);
    expect(await readPositions(store)).toHaveLength(120);
    expect(await readMarks(test)).toEqual({});
  },

  'behind a parked event of its stream an event waits': async (test) => {
    const { store, raw } = test;
    await register(store, traces);
    const { events } = await append(store, 'Order-1', makeEvents(1));
    await runOnce(store, traces);
    await raw.query(
      `insert into evstore_parked (projection, global_position, event_id, stream_id, event_type, state)
       values ('order_traces', ${events[0]?.globalPosition}, '${events[0]?.id}', 'Order-1', 'OrderPlaced', 'parked')`,
    );
    await appendInline(store, [traces], 'Order-1');
    await appendInline(store, [traces], 'Order-2');
    expect(await readTraces(store)).toEqual(
      new Map([
        ['Order-1', ' 1'],
        ['Order-2', ' 1'],
      ]),
    );
  },

  'parked events tried again by code that became async under the same version: appends go on beside it': async (
    test,
  ) => {
    const { store } = test;
    const definition = positionTraces.definition as TableProjection;
    const failing = prepare({
      ...definition,
      on: {
        ...definition.on,
        OrderRefused: () => {
          throw new Error('refused by the handler');
        },
      },
    } as Projection);
    await register(store, failing);
    const { globalPosition: refused } = await append(store, 'Order-1', [makeEvent({ type: 'OrderRefused' })]);
    await runParking(store, failing);
    const mended = prepare({ ...definition, mode: 'async' } as Projection);
    const projections = new Proxy(store.projections, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (name !== 'apply') return typeof value === 'function' ? value.bind(target) : value;
        return async (batch: AppliedBatch) => {
          await appendInline(store, [failing], 'Order-2');
          await target.apply(batch);
        };
      },
    });
    const beside = { ...store, log: store.log, schema: store.schema, projections } as Store;
    const { signal } = new AbortController();
    await retryParked({ store: beside, projection: mended, owner: 'retry:1', signal }, { kind: 'all' });
    expect(await readPositions(store)).toEqual([refused, refused + 1]);
  },

  'a runner whose handlers take their time is not taken for a process that stands still': async (test) => {
    const { store, raw } = test;
    if (test.engine === 'sqlite') return;
    const patient = prepare(
      defineSqlProjection({
        name: 'patience',
        version: 1,
        mode: 'inline',
        partitionBy: 'stream',
        tables: ['patience'],
        create: (t) => sql`create table ${t.patience} (position bigint primary key, seconds integer not null)`,
        on: {
          '*': (event, t) => sql`insert into ${t.patience} (position, seconds) values (${event.globalPosition},
            extract(epoch from current_setting('idle_in_transaction_session_timeout')::interval)::integer)`,
        },
      }),
    );
    await register(store, patient);
    await append(store, 'Order-1');
    await runOnce(store, patient);
    expect((await raw.query('select seconds from patience')).map(({ seconds }) => Number(seconds))).toEqual([60]);
  },

  'a checkpoint moved by hand: forward passes the marks, back applies everything beyond': async (test) => {
    const { store, raw } = test;
    await register(store, traces);
    const { globalPosition: middle } = await appendInline(store, [traces], 'Order-1');
    await appendInline(store, [traces], 'Order-1');
    await store.projections.setCheckpoint(traces.name, middle);
    expect((await readMarks(test))['order_traces/live']).toHaveLength(1);
    await runOnce(store, traces);
    await expectTraces(store);
    await appendInline(store, [traces], 'Order-1');
    await raw.query('delete from order_traces');
    await store.projections.setCheckpoint(traces.name, 0);
    await runOnce(store, traces);
    await expectTraces(store);
    await appendInline(store, [traces], 'Order-1');
    await store.projections.setCheckpoint(traces.name, null);
    expect(await readMarks(test)).toEqual({});
  },
});

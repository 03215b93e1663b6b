/** Events by what caused them: the same answer by index and by looking through the log, on both engines. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { relationOf } from '../../src/domain/relation.js';
import { type CausationNode, growTree, walkTree } from '../../src/query/causation-tree.js';
import { findEvent, showEvent } from '../../src/query/event.js';
import type { SearchOptions } from '../../src/query/extent.js';
import { trace } from '../../src/query/trace.js';
import type { Store } from '../../src/store/store.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { append, errorOf, makeEvent, readAll } from '../support/events.js';
import { allowMoreTime } from '../support/more-time.js';

allowMoreTime('logs of 60,000 events, and many stores');

const quietly = { startsLong: async () => {}, progress: () => {}, signal: new AbortController().signal };
const usual: SearchOptions = { ...quietly, exact: false };
const idOf = (index: number) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
const limit = 1_000;

interface Wanted {
  readonly correlation: number | null;
  /** Of an event, also of one that is not there; null for none. */
  readonly cause: number | null;
}

async function store(events: readonly Wanted[], { log }: Store): Promise<void> {
  const made = events.map(({ correlation, cause }, index) => {
    const metadata = {
      ...(correlation !== null && { correlationId: `c${correlation}` }),
      ...(cause !== null && { causationId: idOf(cause) }),
    };
    return { ...makeEvent({ id: idOf(index), metadata: JSON.stringify(metadata) }), streamId: `S-${index % 5}` };
  });
  await log.importEvents(made, { conflict: 'fail' });
}

/** What the trace of a correlation is, said in another way: until nothing is added. */
function expected(events: readonly Wanted[], correlation: number): readonly string[] {
  const members = new Set(events.flatMap((event, index) => (event.correlation === correlation ? [index] : [])));
  const grow = (next: (index: number) => boolean) => {
    for (let before = -1; before !== members.size; ) {
      before = members.size;
      for (const index of events.keys()) if (next(index)) members.add(index);
    }
  };
  grow((index) => members.has(events[index]?.cause ?? -1));
  grow((index) => [...members].some((member) => events[member]?.cause === index));
  return [...members].map(idOf).sort();
}

function idsOf(roots: readonly CausationNode[]): readonly string[] {
  return [...walkTree(roots)].map(({ node }) => node.event.id);
}

const log = fc.array(
  fc.record({
    correlation: fc.option(fc.nat(2), { freq: 3 }),
    cause: fc.option(fc.nat(24), { freq: 2 }),
  }),
  { minLength: 1, maxLength: 20 },
);

/** The effect of an effect that is recorded before its cause, recorded after both. */
const outOfOrder: readonly Wanted[] = [null, null, null, 4, null, 3].map((cause, index) => ({
  correlation: index === 4 ? 0 : null,
  cause,
}));

forEachEngine((engine) => {
  test('any log: each event once, below its cause, the same with and without an index', async () => {
    const fixed = { seed: fc.sample(fc.nat(), 1)[0] ?? 0, numRuns: engine === 'postgres' ? 4 : 40 };
    await fc.assert(
      fc.asyncProperty(log, async (events) => {
        await withTestStore(engine, async (made) => {
          await store(events, made.store);
          const answer = async () => {
            const answers = [];
            for (const correlation of [0, 1, 2]) {
              const ids = expected(events, correlation);
              if (ids.length === 0) {
                answers.push(
                  (await errorOf('E_NOT_FOUND', trace(made.store, `c${correlation}`, { ...usual, limit }))).message,
                );
                continue;
              }
              const found = await trace(made.store, `c${correlation}`, { ...usual, limit });
              expect([...idsOf(found.roots)].sort()).toEqual(ids);
              expect(found).toMatchObject({ events: ids.length, truncated: false });
              for (const { node, cause } of walkTree(found.roots)) {
                const { causationId } = relationOf(node.event);
                if (cause !== undefined) expect(cause.id).toBe(causationId);
                else if (node.missingCause !== null)
                  expect(Number(causationId?.slice(-12))).toBeGreaterThanOrEqual(events.length);
                else expect(node.isCircular).toBe(causationId !== undefined);
              }
              answers.push(idsOf(found.roots));
            }
            for (const event of await readAll(made.store)) {
              const effects = events.flatMap(({ cause }, index) =>
                idOf(cause ?? -1) === event.id ? [idOf(index)] : [],
              );
              const shown = await showEvent(made.store, event, usual);
              expect(shown.effects.map(({ id }) => id)).toEqual(effects);
              expect(shown).toMatchObject({ truncated: false, causedBy: shown.causedBy });
              answers.push([
                shown.causedBy?.id,
                shown.missingCause,
                idsOf((await trace(made.store, event.id, { ...usual, limit })).roots),
              ]);
            }
            return answers;
          };
          const without = await answer();
          await made.store.schema.createIdIndexes(quietly);
          expect(await answer()).toEqual(without);
        });
      }),
      { ...fixed, examples: [[outOfOrder]] },
    );
  });

  test('a UUID in upper case in the metadata names the same event', () =>
    withTestStore(engine, async ({ store }) => {
      const id = 'abcdef00-0000-4000-8000-00000000000a';
      const metadata = (ids: object) => JSON.stringify(ids);
      const upper = id.toUpperCase();
      await append(store, 'S-1', [makeEvent({ id })]);
      await append(store, 'S-2', [makeEvent({ metadata: metadata({ causationId: upper }) })]);
      await append(store, 'S-3', [makeEvent({ metadata: metadata({ correlationId: upper }) })]);
      const check = async () => {
        const [cause, effect] = [await findEvent(store, '1'), await findEvent(store, '2')];
        expect((await showEvent(store, cause, usual)).effects).toEqual([effect]);
        expect((await showEvent(store, effect, usual)).causedBy).toEqual(cause);
        for (const each of [id, upper])
          expect(await trace(store, each, { ...usual, limit })).toMatchObject({ events: 3 });
      };
      await check();
      await store.schema.createIdIndexes(quietly);
      await check();
    }));

  test('without an index a long log is looked at in part, which is said, and as a whole when that is asked for', () =>
    withTestStore(engine, async (made) => {
      const postgres = engine === 'postgres';
      await made.raw.query(`
        with recursive numbers (i) as (select 0 union all select i + 1 from numbers where i < 59999)
        insert into events (id, stream_id, event_type, event_data, metadata, version)
        select ${postgres ? `('00000000-0000-4000-8000-' || lpad(i::text, 12, '0'))::uuid` : `'00000000-0000-4000-8000-' || substr('000000000000' || i, -12)`},
               'S-' || i, 'T', '1',
               ${postgres ? 'cast(' : ''}case i when 5 then '{"correlationId":"early"}'
                      when 8000 then '{"correlationId":"early","causationId":"${idOf(5)}"}'
                      when 59000 then '{"causationId":"${idOf(8_000)}"}'
                      when 59500 then '{"correlationId":"late"}'
                      else '{}' end${postgres ? ' as json)' : ''}, 1
          from numbers order by i`);
      const ask = (id: string, options = usual) => trace(made.store, id, { ...options, limit });
      expect(await errorOf('E_NOT_FOUND', ask('early'))).toMatchObject({
        message: expect.stringContaining('after position 40,000'),
        next: 'evstore trace --exact early',
      });
      expect(await ask('late')).toMatchObject({ events: 1, truncated: true, searched: { after: 40_000, to: 60_000 } });
      expect(await ask(idOf(5))).toMatchObject({ events: 2, truncated: true });
      expect(await ask(idOf(59_000))).toMatchObject({ events: 3, truncated: true });
      const event = await findEvent(made.store, '8001');
      expect(await showEvent(made.store, event, usual)).toMatchObject({
        effects: [],
        truncated: true,
        causedBy: { globalPosition: 6 },
      });

      const check = async (options: SearchOptions) => {
        for (const id of ['early', idOf(5), idOf(8_000), idOf(59_000)]) {
          expect(await ask(id, options)).toMatchObject({ events: 3, truncated: false });
        }
        const shown = await showEvent(made.store, event, options);
        expect(shown).toMatchObject({ effects: [{ globalPosition: 59_001 }], truncated: false });
        expect((await errorOf('E_NOT_FOUND', ask('none', options))).message).toContain('no event has that id');
      };
      await check({ ...usual, exact: true });
      await made.store.schema.createIdIndexes(quietly);
      await check(usual);
    }));

  test('a trace of too many events is cut, and says so', () =>
    withTestStore(engine, async (made) => {
      const events = Array.from({ length: 30 }, (_, index) => ({
        correlation: 0,
        cause: index === 0 ? null : index - 1,
      }));
      await store(events, made.store);
      for (const index of [false, true]) {
        if (index) await made.store.schema.createIdIndexes(quietly);
        expect(await trace(made.store, 'c0', { ...usual, limit: 10 })).toMatchObject({
          events: 10,
          truncated: true,
          isFull: true,
        });
        expect(await trace(made.store, 'c0', { ...usual, limit: 30 })).toMatchObject({ events: 30, truncated: false });
        const first = await findEvent(made.store, '1');
        expect(await showEvent(made.store, first, { ...usual, limit: 1 })).toMatchObject({ truncated: false });
      }
    }));

  test('who handles an event: those whose filter it passes, where they are, and whether they parked it', () =>
    withTestStore(engine, async ({ store: made, raw }) => {
      await append(made, 'Order-1', [makeEvent({ type: 'Placed' }), makeEvent({ type: 'Paid' })]);
      const audit = (types: readonly string[]) =>
        JSON.stringify({ filter: JSON.stringify({ types }), after: 0, events: 0, idSum: 0 });
      const cast = engine === 'postgres' ? '::json' : '';
      for (const [name, position, types] of [
        ['done', 2, ['Placed']],
        ['behind', 0, ['Placed', 'Paid']],
        ['other', 2, ['Paid']],
        ['unknown', 1, null],
      ] as const) {
        await made.projections.register({
          name,
          version: 1,
          codeHash: 'x',
          model: { kind: 'external' },
          target: name,
        } as never);
        await raw.query(
          `update subscription_checkpoints set last_position = ${position}, audit = ${types === null ? 'null' : `'${audit(types)}'${cast}`} where subscription_id = '${name}'`,
        );
      }
      const [event] = await readAll(made);
      if (event === undefined) throw new Error('nothing was appended');
      await raw.query(`insert into evstore_parked (projection, rebuild, global_position, event_id, stream_id, event_type, state)
        values ('done', 0, ${event.globalPosition}, '${event.id}', 'Order-1', 'Placed', 'skipped')`);
      const { projections } = await showEvent(made, event, usual);
      expect(projections).toEqual([
        { name: 'behind', position: 0, passed: false, handles: true, parked: null },
        { name: 'done', position: 2, passed: true, handles: true, parked: 'skipped' },
        { name: 'unknown', position: 1, passed: true, handles: null, parked: null },
      ]);
    }));
});

test('a chain of ten thousand events, and a circle of as many', () => {
  const depth = 10_000;
  const event = (index: number, cause: number) => ({
    ...makeEvent({ id: idOf(index), metadata: `{"causationId":"${idOf(cause)}"}` }),
    globalPosition: depth - index + 1,
    streamId: 'S-1',
    version: index + 1,
    streamType: '',
    createdAt: '2026-01-01T00:00:00.000Z',
  });
  const chain = Array.from({ length: depth }, (_, index) => event(index, index - 1));
  const rows = [...walkTree(growTree(chain))];
  expect(rows.map(({ depth: level }) => level)).toEqual(chain.map((_, index) => index));
  const circle = growTree([...chain.slice(1), event(0, depth - 1)]);
  expect(circle).toMatchObject([{ isCircular: true, event: { globalPosition: 2 } }]);
  expect([...walkTree(circle)]).toHaveLength(depth);
});

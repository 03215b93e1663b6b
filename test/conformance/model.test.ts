/** The same random commands on each engine and on a list in memory: they must answer alike. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EvstoreError } from '../../src/domain/errors.js';
import type { ExpectedVersion, RecordedEvent } from '../../src/domain/event.js';
import { derivedId } from '../../src/domain/uuid.js';
import type { Engine, Store } from '../../src/store/store.js';
import { brokenStores } from '../support/broken-stores.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { makeEvent, readAll, readStream } from '../support/events.js';
import { ModelLog } from '../support/model-log.js';

/** Few of everything, so that commands meet. */
const streamIds = fc.constantFrom('Order-1', 'Order-2', 'Order', 'Orders-1', 'a_b-1', 'aXb-1');
const events = fc
  .uniqueArray(fc.nat(14), { minLength: 1, maxLength: 4 })
  .chain((ids) =>
    fc.tuple(
      ...ids.map((id) =>
        fc
          .record({ type: fc.constantFrom('A', 'B'), data: fc.constantFrom('{"n":1}', ' {"n":1.0}', '{"n":2}') })
          .map((facts) => makeEvent({ ...facts, id: derivedId(`event ${id}`) })),
      ),
    ),
  );
const expected = fc.oneof(
  { weight: 3, arbitrary: fc.constant<ExpectedVersion>('any') },
  { weight: 2, arbitrary: fc.constantFrom<ExpectedVersion>('none', 'exists') },
  { weight: 3, arbitrary: fc.nat(5) as fc.Arbitrary<ExpectedVersion> },
);
const filter = fc.record(
  {
    category: fc.constantFrom('Order', 'Orders', 'a_b', 'none'),
    types: fc.constantFrom(['A'], ['B'], ['A', 'B'], ['C']),
    streamId: streamIds,
  },
  { requiredKeys: [] },
);

type Command =
  | {
      readonly kind: 'append';
      readonly streamId: string;
      readonly events: ReturnType<typeof makeEvent>[];
      readonly expected: ExpectedVersion;
    }
  | {
      readonly kind: 'import';
      readonly lines: readonly { streamId: string; events: ReturnType<typeof makeEvent>[] }[];
      readonly conflict: 'skip' | 'fail';
    }
  | {
      readonly kind: 'read';
      readonly filter: Parameters<ModelLog['read']>[0];
      readonly backwards: boolean;
      readonly limit: number;
      readonly batchSize: number;
    };

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('append' as const), streamId: streamIds, events, expected }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('import' as const),
      lines: fc.array(fc.record({ streamId: streamIds, events }), { minLength: 1, maxLength: 2 }),
      conflict: fc.constantFrom('skip' as const, 'fail' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      filter,
      backwards: fc.boolean(),
      limit: fc.integer({ min: 1, max: 30 }),
      batchSize: fc.integer({ min: 1, max: 8 }),
    }),
  },
);

const shape = ({
  streamId,
  version,
  id,
  type,
  data,
}: Pick<RecordedEvent, 'streamId' | 'version' | 'id' | 'type' | 'data'>) => ({
  streamId,
  version,
  id,
  type,
  data,
});

async function answer<Value>(attempt: Promise<Value>): Promise<Value | { error: string }> {
  return attempt.catch((error: unknown) => {
    if (error instanceof EvstoreError) return { error: error.code };
    throw error;
  });
}

async function runBoth(store: Store, model: ModelLog, each: Command): Promise<void> {
  if (each.kind === 'append') {
    const result = await answer(store.log.append(each.streamId, each.events, each.expected));
    const told =
      'error' in result
        ? result
        : { versions: result.events.map(({ version }) => version), deduplicated: result.deduplicated };
    expect(told).toEqual(model.append(each.streamId, each.events, each.expected));
  } else if (each.kind === 'import') {
    const all = each.lines.flatMap(({ streamId, events }) => events.map((event) => ({ ...event, streamId })));
    const lines = [...new Map(all.map((line) => [line.id, line])).values()];
    const result = await answer(store.log.importEvents(lines, { conflict: each.conflict }));
    expect(result).toEqual(model.importEvents(lines, each.conflict));
  } else {
    const { backwards, limit, batchSize } = each;
    const read = await readAll(store, { ...each.filter, backwards, limit, batchSize });
    const wanted = model.read(each.filter).map(shape);
    expect(read.map(shape)).toEqual((backwards ? wanted.reverse() : wanted).slice(0, limit));
  }
}

const property = (engine: Engine, wrap?: (store: Store) => Store) =>
  fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 40 }), (commands) =>
    withTestStore(engine, ({ store }) => runAll(store, commands), wrap && { wrap }),
  );

async function runAll(store: Store, commands: readonly Command[]): Promise<void> {
  const model = new ModelLog();
  for (const each of commands) await runBoth(store, model, each);
  expect((await readAll(store)).map(shape)).toEqual(model.events.map(shape));
  const names = [...new Set(model.events.map(({ streamId }) => streamId))].sort();
  const summaries = await store.log.streams();
  expect(summaries.map(({ streamId, events }) => [streamId, events])).toEqual(
    names.map((name) => [name, model.versionOf(name)]),
  );
  for (const name of names) {
    expect((await readStream(store, name)).map(shape)).toEqual(model.read({ streamId: name }).map(shape));
  }
}

forEachEngine((engine) => {
  it('answers as a list in memory does', () => fc.assert(property(engine), { numRuns: engine === 'sqlite' ? 60 : 25 }));
});

it.each([
  'ignores the expected version',
  'appends the rest of a partial duplicate',
  'filters by any of the conditions instead of all',
  'imports over what it has, one stream after the other',
])('would see a store that %s', async (name) => {
  const broken = brokenStores.find((store) => store.name === name);
  if (broken === undefined) throw new Error(`no broken store ${name}`);
  const details = await fc.check(property('sqlite', broken.wrap), { numRuns: 300, endOnFailure: true });
  expect(details.failed).toBe(true);
});

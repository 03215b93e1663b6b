/** Real stores with one promise broken each. The suites are worth something if they reject every one of them. */
import { EvstoreError } from '../../src/domain/errors.js';
import type { EventBatch, RecordedEvent } from '../../src/domain/event.js';
import { nameTarget } from '../../src/domain/names.js';
import { newEventId } from '../../src/domain/uuid.js';
import type {
  AppliedBatch,
  Comparison,
  EventLog,
  ProjectionStore,
  SnapshotStore,
  Store,
} from '../../src/store/store.js';

export interface BrokenStore {
  /** The promise that it breaks. */
  readonly name: string;
  readonly wrap: (store: Store) => Store;
  /** Suite title → cases of which each must reject it. */
  readonly rejectedBy: Readonly<Record<string, readonly string[]>>;
}

/** The same object with some methods replaced. */
function replace<Target extends object>(target: Target, methods: Partial<Target>): Target {
  return new Proxy(target, {
    get(_, name) {
      const value: unknown = Reflect.get(name in methods ? methods : target, name);
      return typeof value === 'function' && !(name in methods) ? value.bind(target) : value;
    },
  });
}

const withLog = (change: (log: EventLog) => Partial<EventLog>) => (store: Store) =>
  replace<Store>(store, { log: replace(store.log, change(store.log)) } as Partial<Store>);
const withProjections = (change: (projections: ProjectionStore) => Partial<ProjectionStore>) => (store: Store) =>
  replace<Store>(store, { projections: replace(store.projections, change(store.projections)) } as Partial<Store>);

const withSnapshots = (change: (snapshots: SnapshotStore) => Partial<SnapshotStore>) => (store: Store) =>
  replace<Store>(store, { snapshots: replace(store.snapshots, change(store.snapshots)) } as Partial<Store>);

/** Both ways of reading, each batch changed. */
const withBatches = (change: (batch: EventBatch) => EventBatch | undefined) =>
  withLog((log) => ({
    readAll: (options) => mapBatches(log.readAll(options), change),
    readStream: (streamId, options) => mapBatches(log.readStream(streamId, options), change),
  }));
const withEvents = (change: (event: RecordedEvent) => RecordedEvent) =>
  withBatches((batch) => ({ ...batch, events: batch.events.map(change) }));

async function* mapBatches(
  batches: AsyncIterable<EventBatch>,
  change: (batch: EventBatch) => EventBatch | undefined,
): AsyncGenerator<EventBatch> {
  for await (const batch of batches) {
    const changed = change(batch);
    if (changed !== undefined) yield changed;
  }
}

/** Success whatever the error of this code was about. */
async function swallow<Value>(code: string, attempt: Promise<Value>, instead: () => Promise<Value>): Promise<Value> {
  return attempt.catch((error: unknown) => {
    if (error instanceof EvstoreError && error.code === code) return instead();
    throw error;
  });
}

/** Moves the checkpoint wherever it is, under whatever lease there is. */
async function applyAnyway(projections: ProjectionStore, batch: AppliedBatch): Promise<void> {
  const { lease } = batch;
  const answer = await projections.acquireLease(lease.target, { owner: lease.owner, ttlMs: 60_000, steal: true });
  if (answer.held) throw new Error('a stolen lease is held');
  return projections.apply({ ...batch, lease: answer.lease, from: answer.lease.position });
}

/** A comparison with each item changed. */
const withComparison = (change: (item: Comparison) => Comparison) =>
  withProjections((projections) => ({
    compareTables: async function* (rebuild) {
      for await (const item of projections.compareTables(rebuild)) yield change(item);
    },
  }));

const none = { done: true, value: undefined } as const;
/** As if a swap had left the events put aside where they were. */
function withoutExchange(projections: ProjectionStore): Partial<ProjectionStore> {
  const exchanged = new Set<number>();
  const undo = (rebuild: number) => {
    const [id = 0] = exchanged;
    if (rebuild === id) return 0;
    return rebuild === 0 ? id : rebuild;
  };
  return {
    swap: async (rebuild, leases, options) => {
      const swapped = await projections.swap(rebuild, leases, options);
      exchanged.add(rebuild.id);
      return swapped;
    },
    parked: async (filter) => {
      const all = await projections.parked({
        ...filter,
        ...(filter?.rebuild !== undefined && { rebuild: undo(filter.rebuild) }),
      });
      const known = all.map((each) => ({ ...each, rebuild: undo(each.rebuild) }));
      return known.sort((a, b) => a.rebuild - b.rebuild || a.globalPosition - b.globalPosition);
    },
  };
}

const nothing = { streamId: '', events: [], version: 0, globalPosition: 0, deduplicated: true };

export const brokenStores: readonly BrokenStore[] = [
  {
    name: 'ignores the expected version',
    wrap: withLog((log) => ({ append: (streamId, events) => log.append(streamId, events, 'any') })),
    rejectedBy: {
      append: [
        'A3: of eight appends that expect the same version one wins',
        'A13: an append is held to the version it expects',
        'A19: a failed append leaves no stream',
      ],
    },
  },
  {
    name: 'takes a redelivered command for a conflict',
    wrap: withLog((log) => ({
      append: async (streamId, events, expected) => {
        const result = await log.append(streamId, events, expected);
        const before = (result.events[0]?.version ?? 0) - 1;
        if (!result.deduplicated || typeof expected !== 'number' || expected === before) return result;
        throw new EvstoreError('E_VERSION_CONFLICT', 'another writer appended first');
      },
    })),
    rejectedBy: { append: ['A7: an append whose events are all stored has succeeded, whatever version it expects'] },
  },
  {
    name: 'does not know an id again',
    wrap: withLog((log) => ({
      append: (streamId, events, expected) =>
        log.append(
          streamId,
          events.map((event) => ({ ...event, id: newEventId() })),
          expected,
        ),
    })),
    rejectedBy: {
      append: [
        'A1: the same append again is answered alike and stores nothing',
        'A2: of eight identical appends at once one is stored',
        'A8: a batch of which some ids are known is refused whole',
      ],
    },
  },
  {
    name: 'takes any event with a known id for a duplicate',
    wrap: withLog((log) => ({
      append: (...request) => swallow('E_ID_CONFLICT', log.append(...request), async () => nothing),
    })),
    rejectedBy: {
      append: [
        'A5: a known id with other content is refused',
        'A6: an id known in another stream is refused',
        'A10: equal JSON in another spelling is the same event',
      ],
    },
  },
  {
    name: 'appends the rest of a partial duplicate',
    wrap: withLog((log) => ({
      append: (streamId, events, expected) =>
        swallow('E_PARTIAL_DUPLICATE', log.append(streamId, events, expected), async () => {
          const known = await Promise.all(events.map(({ id }) => log.find(id)));
          return log.append(
            streamId,
            events.filter((_, index) => known[index] === undefined),
            'any',
          );
        }),
    })),
    rejectedBy: { append: ['A8: a batch of which some ids are known is refused whole'] },
  },
  {
    name: 'appends a batch one by one',
    wrap: withLog((log) => ({
      append: async (streamId, events) => {
        const results = [];
        for (const event of events) results.push(await log.append(streamId, [event], 'any'));
        const last = results.at(-1) ?? nothing;
        return { ...last, events: results.flatMap((result) => result.events) };
      },
    })),
    rejectedBy: { append: ['A14: a batch is stored whole or not at all'] },
  },
  {
    name: 'loses an event now and then',
    wrap: withBatches((batch) => ({ ...batch, events: batch.events.filter((_, index) => index !== 3) })),
    rejectedBy: {
      read: ['the whole log in batches, in order, nothing twice', 'one stream by version'],
      append: ['A4: eight appends to any version all go in, without a hole'],
    },
  },
  {
    name: 'reads out of order',
    wrap: withBatches((batch) => ({ ...batch, events: [...batch.events].reverse() })),
    rejectedBy: {
      read: ['the whole log in batches, in order, nothing twice', 'one stream by version'],
      append: ['result: versions from 1, rising positions, in the order of the request'],
      import: ['in the order of the lines, each at the next version of its stream'],
    },
  },
  {
    name: 'reads the last event of a batch twice',
    wrap: withBatches((batch) => ({ ...batch, events: [...batch.events, ...batch.events.slice(-1)] })),
    rejectedBy: { read: ['the whole log in batches, in order, nothing twice', 'an event comes back as it went in'] },
  },
  {
    name: 'is silent about what it skipped',
    wrap: withBatches((batch) => (batch.events.length === 0 ? undefined : batch)),
    rejectedBy: { read: ['O22: a filtered reader moves past events it does not ask for'] },
  },
  {
    name: 'says it looked further than it did',
    wrap: withBatches((batch) => ({ ...batch, upTo: batch.upTo + 1 })),
    rejectedBy: {
      read: [
        'O22: a filtered reader moves past events it does not ask for',
        'the whole log in batches, in order, nothing twice',
      ],
    },
  },
  {
    name: 'parses payloads on the way',
    wrap: withEvents((event) => ({ ...event, data: JSON.stringify(JSON.parse(event.data)) })),
    rejectedBy: {
      'hostile input': ['H1 H5 H6 H7 H9: what both can keep comes back to the letter'],
      read: ['an event comes back as it went in'],
    },
  },
  {
    name: 'passes times through Date',
    wrap: withEvents((event) => ({ ...event, createdAt: new Date(event.createdAt).toISOString() })),
    rejectedBy: { read: ['H23: timestamps come back in UTC to the microsecond', 'an event comes back as it went in'] },
  },
  {
    name: 'matches categories with wildcards',
    wrap: withLog((log) => ({
      readAll: ({ category, ...options } = {}) =>
        category === undefined
          ? log.readAll(options)
          : mapBatches(log.readAll(options), (batch) => {
              const pattern = new RegExp(
                `^${category
                  .replace(/[^\w%]/g, '.')
                  .replace(/%/g, '.*')
                  .replace(/_/g, '.')}(-|$)`,
              );
              return { ...batch, events: batch.events.filter(({ streamId }) => pattern.test(streamId)) };
            }),
    })),
    rejectedBy: { read: ['H14: wildcards in a category match only themselves'] },
  },
  {
    name: 'filters by any of the conditions instead of all',
    wrap: withLog((log) => ({ readAll: ({ category: _, ...options } = {}) => log.readAll(options) })),
    rejectedBy: { read: ['filters are joined by "and"', 'H14: wildcards in a category match only themselves'] },
  },
  {
    name: 'reads beyond the safe head it was told',
    wrap: withLog((log) => ({ readAll: ({ safeHead: _, ...options } = {}) => log.readAll(options) })),
    rejectedBy: { read: ['a reader who was told the safe head reads up to it'] },
  },
  {
    name: 'does not wait for an append',
    wrap: withLog(() => ({ waitForAppend: async (after) => after })),
    rejectedBy: { read: ['waitForAppend sees an append, gives up, and can be aborted'] },
  },
  {
    name: 'imports over what it has, one stream after the other',
    wrap: withLog((log) => ({
      importEvents: (events, options) =>
        log.importEvents(
          [...events].sort((a, b) => (a.streamId < b.streamId ? -1 : 1)),
          options,
        ),
    })),
    rejectedBy: { import: ['in the order of the lines, each at the next version of its stream'] },
  },
  {
    name: 'skips conflicts of an import though told to fail',
    wrap: withLog((log) => ({ importEvents: (events) => log.importEvents(events, { conflict: 'skip' }) })),
    rejectedBy: { import: ['a known id with other content: fail writes nothing, skip leaves it out'] },
  },
  {
    name: 'moves a checkpoint without comparing it',
    wrap: withProjections((projections) => ({
      apply: (batch) => swallow('E_SUPERSEDED', projections.apply(batch), () => applyAnyway(projections, batch)),
    })),
    rejectedBy: {
      projections: [
        'a batch from another position is superseded',
        'R3: an old token never writes',
        'a checkpoint moved by hand stops its runner',
      ],
      rebuild: ['W11: a runner of the old table is superseded by the swap'],
    },
  },
  {
    name: 'commits the checkpoint before the rows',
    wrap: withProjections((projections) => ({
      apply: async (batch) => {
        await projections.apply({ ...batch, changes: { kind: 'statements', statements: [] } });
        await projections.apply({ ...batch, from: batch.to });
      },
    })),
    rejectedBy: { projections: ['R6: a batch that fails leaves neither'] },
  },
  {
    name: 'moves the checkpoint and drops the rows',
    wrap: withProjections((projections) => ({
      apply: (batch) => projections.apply({ ...batch, changes: { kind: 'statements', statements: [] } }),
    })),
    rejectedBy: { projections: ['rows and checkpoint move together'] },
  },
  {
    name: 'puts events aside before it moves past them',
    wrap: withProjections((projections) => ({
      apply: async ({ parked, ...batch }) => {
        const none = { kind: 'statements', statements: [] } as const;
        if (parked !== undefined) await projections.apply({ ...batch, to: batch.from, changes: none, parked });
        await projections.apply(batch);
      },
    })),
    rejectedBy: {
      parked: [
        'a batch that fails puts nothing aside',
        'what is tried again leaves with its rows; position and proof stay',
      ],
    },
  },
  {
    name: 'moves past what it does not put aside',
    wrap: withProjections((projections) => ({ apply: ({ parked: _, ...batch }) => projections.apply(batch) })),
    rejectedBy: { parked: ['an event is put aside with the move past it, and comes back as it went in'] },
  },
  {
    name: 'forgets at a swap which tables miss what',
    wrap: withProjections(withoutExchange),
    rejectedBy: { parked: ['a swap and its rollback take along what each set of tables misses'] },
  },
  {
    name: 'gives the lease to whoever asks',
    wrap: withProjections((projections) => ({
      acquireLease: (target, request) => projections.acquireLease(target, { ...request, steal: true }),
    })),
    rejectedBy: { projections: ['R2: the lease has one holder', 'eight at once: one gets the lease'] },
  },
  {
    name: 'says a lost lease was renewed',
    wrap: withProjections((projections) => ({
      renewLease: async (lease, ttlMs, vitals) => {
        await projections.renewLease(lease, ttlMs, vitals);
        return true;
      },
    })),
    rejectedBy: { projections: ['R2: the lease has one holder', 'an expired lease is free'] },
  },
  {
    name: 'says that it has swapped when something would be lost',
    wrap: withProjections((projections) => ({
      swap: (rebuild, leases, options) =>
        swallow('E_UNSAFE_STORE', projections.swap(rebuild, leases, options), async () => rebuild),
    })),
    rejectedBy: {
      dependents: [
        'W9: what came since the rebuild began refuses the swap by name',
        'W5: a foreign key whose rows the new table lacks',
      ],
    },
  },
  {
    name: 'does not see what hangs on a table',
    wrap: withProjections((projections) => ({
      inspectTables: async (tables) =>
        (await projections.inspectTables(tables)).map((facts) => ({ ...facts, carried: [], blocking: [] })),
    })),
    rejectedBy: { dependents: ['W5 W13: a view follows the new table'] },
  },
  {
    name: 'swaps with any lease',
    wrap: withProjections((projections) => ({
      swap: (rebuild, leases, options) =>
        swallow('E_SUPERSEDED', projections.swap(rebuild, leases, options), async () => {
          const take = async (lease: typeof leases.live) => {
            const answer = await projections.acquireLease(lease.target, { owner: 'x', ttlMs: 60_000, steal: true });
            return answer.held ? lease : answer.lease;
          };
          const fresh = { rebuild: await take(leases.rebuild), live: await take(leases.live) };
          return projections.swap(rebuild, fresh, options);
        }),
    })),
    rejectedBy: { rebuild: ['a lost lease does not swap'] },
  },
  {
    name: 'divides a projection over the head of its runner',
    wrap: withProjections((projections) => ({
      divide: async (projection, parts) => {
        const target = { kind: 'checkpoint', subscriptionId: projection } as const;
        const answer = await projections.acquireLease(target, { owner: 'x', ttlMs: 60_000, steal: true });
        if (!answer.held) await projections.releaseLease(answer.lease);
        return projections.divide(projection, parts);
      },
    })),
    rejectedBy: { parts: ['refused while somebody runs it, or a part of it, by name'] },
  },
  {
    name: 'forgets what a part was given',
    wrap: withProjections((projections) => ({
      divide: async (projection, parts) => {
        await projections.divide(projection, parts);
        for (const { subscriptionId, position } of await projections.checkpoints()) {
          await projections.setCheckpoint(subscriptionId, position);
        }
      },
    })),
    rejectedBy: { parts: ['each part goes on where the whole stood, and the whole where all parts stand'] },
  },
  {
    name: 'leaves what was built behind',
    wrap: withProjections(() => ({ abort: async (rebuild) => ({ ...rebuild, state: 'aborted' }) })),
    rejectedBy: { rebuild: ['abort drops what was built and nothing else'] },
  },
  {
    name: 'forgets which read model outside the database is live',
    wrap: withProjections((projections) => ({
      list: async () => (await projections.list()).map((record) => ({ ...record, target: nameTarget(record.name, 1) })),
    })),
    rejectedBy: { rebuild: ['a read model outside the database: which one is live moves with the version'] },
  },
  {
    name: 'tallies what it was not asked for',
    wrap: withLog((log) => ({ tally: (range) => log.tally(range, {}) })),
    rejectedBy: { audit: ['a tally agrees with what a reader is given'] },
  },
  {
    name: 'keeps no proof of what it delivered',
    wrap: withProjections((projections) => ({ apply: ({ seen: _, ...batch }) => projections.apply(batch) })),
    rejectedBy: { audit: ['a cursor keeps what it was given, until somebody moves it by hand'] },
  },
  {
    name: 'says that its snapshot stands before it takes it',
    wrap: withProjections((projections) => ({
      compareTables: async function* (rebuild) {
        const [current] = await projections.rebuilds(rebuild.projection);
        yield { kind: 'position', position: current?.position ?? 0 };
        for await (const item of projections.compareTables(rebuild)) if (item.kind !== 'position') yield item;
      },
    })),
    rejectedBy: { compare: ['one state of both tables, whatever is written meanwhile'] },
  },
  {
    name: 'compares what stands at two positions',
    wrap: withProjections((projections) => ({
      compareTables: async function* (rebuild) {
        const items = projections.compareTables(rebuild)[Symbol.asyncIterator]();
        for (let next = await swallow('E_SUPERSEDED', items.next(), async () => none); !next.done; ) {
          yield next.value;
          next = await items.next();
        }
      },
    })),
    rejectedBy: { compare: ['at two positions nothing is compared'] },
  },
  {
    name: 'looks at the rebuilt rows only',
    wrap: withComparison((item) => (item.kind === 'differences' ? { ...item, removed: [] } : item)),
    rejectedBy: {
      compare: [
        'rows added, removed and changed, and nothing else',
        'keys of several columns, several tables, json, null',
        'thousands of rows, many of them different',
      ],
    },
  },
  {
    name: 'looks at the keys only',
    wrap: withComparison((item) => (item.kind === 'differences' ? { ...item, changed: [] } : item)),
    rejectedBy: {
      compare: ['rows added, removed and changed, and nothing else', 'thousands of rows, many of them different'],
    },
  },
  {
    name: 'leaves inline projections to their runner',
    wrap: withLog((log) => ({
      append: (streamId, events, expected, { inline: _, ...options } = {}) =>
        log.append(streamId, events, expected, options),
    })),
    rejectedBy: {
      inline: [
        'the rows are there when the append is',
        'a handler that throws: no event and no row',
        'a row the database refuses: no event',
      ],
    },
  },
  {
    name: 'applies what appends have applied already',
    wrap: withProjections((projections) => ({
      apply: async (batch) => {
        if (batch.changes.kind !== 'deferred') return projections.apply(batch);
        const fold = batch.changes.fold(batch.changes.events);
        const rows = fold.kind === 'fold' ? await projections.readRows(fold.table, fold.spec, fold.keys) : [];
        return projections.apply({ ...batch, changes: fold.kind === 'fold' ? fold.complete(rows) : fold });
      },
    })),
    rejectedBy: {
      inline: [
        'a runner passes over them and takes the marks off',
        'several in one append, each with the events it wants',
      ],
      'inline beside rebuilds': ['swaps and rollbacks while several connections append with old and new code'],
    },
  },
  {
    name: 'forgets at a swap for which tables an event is marked',
    wrap: (store) => {
      const marked = new Set<number>();
      const remembering = withLog((log) => ({
        append: async (streamId, events, expected, options = {}) => {
          const result = await log.append(streamId, events, expected, options);
          for (const { globalPosition } of options.inline ? result.events : []) marked.add(globalPosition);
          return result;
        },
      }))(store);
      return withProjections((projections) => ({
        apply: (batch) => {
          if (batch.changes.kind !== 'deferred') return projections.apply(batch);
          const events = batch.changes.events.filter(({ globalPosition }) => !marked.has(globalPosition));
          return projections.apply({ ...batch, changes: { ...batch.changes, events } });
        },
      }))(remembering);
    },
    rejectedBy: {
      'inline beside rebuilds': ['what only the replaced table has is applied to the new one, and the other way round'],
    },
  },
  {
    name: 'takes ids for equal whose beginnings are',
    wrap: withLog((log) => ({
      readAll: ({ correlationId, ...options } = {}) =>
        log.readAll({ ...options, ...(correlationId !== undefined && { correlationId: correlationId.slice(0, 200) }) }),
    })),
    rejectedBy: { 'indexes on ids': ['they are made once, and read the same events'] },
  },
  {
    name: 'lets any code write the live rows',
    wrap: (store) =>
      withLog((log) => ({
        append: async (streamId, events, expected, options = {}) => {
          const records = await store.projections.list();
          const inline = (options.inline ?? []).map((each) => {
            const { version, codeHash } = records.find(({ name }) => name === each.name) ?? each;
            return { ...each, version, codeHash };
          });
          return log.append(streamId, events, expected, { ...options, inline });
        },
      }))(store),
    rejectedBy: { inline: ['other code than made the rows leaves them alone'] },
  },
  {
    name: 'replaces any snapshot',
    wrap: withSnapshots((snapshots) => ({
      save: async (snapshot) => {
        const there = await snapshots.find(snapshot.streamId);
        if (there !== undefined) await snapshots.delete([there]);
        return snapshots.save(snapshot);
      },
    })),
    rejectedBy: {
      snapshots: [
        'a snapshot replaces an earlier or an equal one, never a later one',
        'a snapshot of another program is not replaced',
      ],
    },
  },
  {
    name: 'compares snapshots only by their versions',
    wrap: withSnapshots((snapshots) => ({
      save: async (snapshot) => {
        const there = await snapshots.find(snapshot.streamId);
        return (there?.version ?? 0) <= snapshot.version && snapshots.save(snapshot);
      },
    })),
    rejectedBy: { snapshots: ['a later snapshot of events that the stream does not have is replaced'] },
  },
  {
    name: 'deletes a snapshot that was replaced meanwhile',
    wrap: withSnapshots((snapshots) => ({
      delete: async (named) => {
        const ids = new Set(named.map(({ streamId }) => streamId));
        return snapshots.delete((await snapshots.list()).filter(({ streamId }) => ids.has(streamId)));
      },
    })),
    rejectedBy: { snapshots: ['deleted are those that are still of the version named'] },
  },
];

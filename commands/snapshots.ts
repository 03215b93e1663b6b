/** `evstore snapshots`: lists, makes, deletes and verifies the snapshots of aggregates. */
import type { LoadedAggregateCode } from '../src/aggregate/load.js';
import {
  type CreatedSnapshot,
  createSnapshot,
  findStreamsToCreate,
  readSnapshots,
  type VerifiedSnapshot,
  verifySnapshot,
} from '../src/aggregate/manage-snapshots.js';
import { EvstoreError } from '../src/domain/errors.js';
import { sanitiseJson } from '../src/domain/safe-json.js';
import { shellWord } from '../src/domain/shell-word.js';
import { count } from '../src/domain/words.js';
import { renderReport } from '../src/output/json-line.js';
import { formatBytes } from '../src/output/numbers.js';
import { showTime } from '../src/output/relative-time.js';
import { findSnapshot, listSnapshots, listStaleSnapshots } from '../src/query/snapshots.js';
import type { SnapshotsOptions } from '../src/store/store.js';
import { sanitise } from '../src/terminal/sanitise.js';
import type { Command, Context } from './options/command.js';
import { option } from './options/option.js';
import { oneOf, wholeNumber } from './options/parse-option.js';
import { dryRunOption, progressOption, timesOption } from './options/shared-options.js';
import { loadAggregateCode, selectAggregate } from './support/aggregate-code.js';
import { type ListColumn, printList } from './support/print-list.js';

type Row = Awaited<ReturnType<typeof listSnapshots>>[number];

const list: Command = {
  usage: 'list',
  summary: 'list snapshots and the events since',
  writes: 'nothing',
  examples: [
    { line: 'evstore snapshots list', purpose: 'list all snapshots by stream' },
    { line: 'evstore snapshots list --sort size -n 10', purpose: 'list the ten largest' },
    { line: 'evstore snapshots list --stale', purpose: 'list those that the code of this project does not use' },
  ],
  options: [
    option('--category <name>', 'only streams NAME and NAME-…').conflicts('prefix'),
    option('--prefix <text>', 'only streams whose names begin with this').conflicts('category'),
    option('--stream-type <type>', 'only snapshots of this stream type'),
    option('--stale', 'only snapshots of other code or of events that the stream does not have; loads the aggregates'),
    option(
      '--sort <order>',
      'sort by name, age (oldest first), size, events (since); all but name read every snapshot (default: name)',
      oneOf('name', 'age', 'size', 'events'),
    ),
    option('-n, --limit <count>', 'list at most this many snapshots', wholeNumber(1)),
    timesOption(),
  ],
  run: async (_args, flags, context) => {
    const { stale, ...options } = flags as SnapshotsOptions & { readonly stale?: boolean };
    const store = await context.openStore();
    const snapshots =
      stale === true
        ? await listStaleSnapshots(store, await loadAggregateCode(context, flags), options)
        : await listSnapshots(store, options);
    const { category, prefix, streamType } = options;
    const isNarrowed = [category, prefix, streamType, stale].some((each) => each !== undefined);
    await printList(context, snapshots, describeColumns(context), {
      report: { snapshots },
      nothing: isNarrowed ? 'no snapshot matched' : 'no snapshots yet',
    });
    const ahead = snapshots.filter(({ eventsSince }) => eventsSince < 0);
    if (ahead.length > 0) {
      await context.warn(
        `${count(ahead.length, 'snapshot')} of a version that the stream never had: ${ahead[0]?.streamId}`,
      );
    }
    return snapshots.length === 0 && isNarrowed ? 6 : 0;
  },
};

const show: Command = {
  usage: 'show <stream>',
  summary: 'print the snapshot of a stream',
  writes: 'nothing',
  examples: [
    { line: 'evstore snapshots show Order-42', purpose: 'print its data, and on a terminal what it is' },
    { line: 'evstore snapshots show Order-42 --json', purpose: 'print its data with version, times and size' },
  ],
  options: [timesOption()],
  run: async ([streamId = ''], _flags, context) => {
    const { data, ...snapshot } = await findSnapshot(await context.openStore(), streamId);
    const { stdout } = context.io;
    // The data is passed through as it is stored: parsing it would round numbers.
    const json = sanitiseJson(data);
    if (context.asJson) await stdout.write(`${renderReport(snapshot).trimEnd().slice(0, -1)},"data":${json}}\n`);
    else if (context.quiet) await stdout.write(`${snapshot.version}\n`);
    else if (context.format({ people: 'table', pipe: 'tsv' }) === 'table')
      await stdout.write(`${describe(snapshot, context)}\n${json}\n`);
    else await stdout.write(`${json}\n`);
    return 0;
  },
};

const create: Command = {
  usage: 'create <name> [streams...]',
  summary: 'store the snapshots of an aggregate',
  writes: 'the snapshots of these streams; none of another program, and none of a later version, is replaced',
  examples: [
    { line: 'evstore snapshots create order Order-42', purpose: 'make the snapshot of one stream' },
    { line: 'evstore snapshots create order --all', purpose: 'make all that are missing, such as after a new version' },
  ],
  options: [
    option('--all', 'all streams with as many events as the definition says in snapshot.every'),
    progressOption(),
    dryRunOption(),
  ],
  run: async ([name = '', ...streams], flags, context) => {
    if (streams.length > 0 === (flags.all === true))
      throw eitherOr('streams', '--all', 'evstore snapshots create --help');
    const aggregate = await selectAggregate(context, flags, name);
    if (aggregate.every === undefined) throw withoutSnapshots(aggregate);
    const store = await context.openStore();
    const named = flags.all === true ? await findStreamsToCreate(store, aggregate) : streams;
    const dryRun = flags.dryRun === true;
    const created: CreatedSnapshot[] = [];
    const progress = await context.progress('snapshots', named.length);
    try {
      for (const streamId of named) {
        context.io.signal.throwIfAborted();
        created.push(await createSnapshot(store, aggregate, streamId, { dryRun }));
        progress.update(created.length);
      }
    } finally {
      progress.stop();
    }
    const report = { dryRun, aggregate: name, snapshots: created };
    await printList(context, created, createdColumns, { report, nothing: 'no stream needs a snapshot' });
    const stored = created.filter(({ result }) => result === 'stored').length;
    await context.note(`${count(stored, 'snapshot')} ${dryRun ? 'would be stored' : 'stored'}`);
    return 0;
  },
};

const remove: Command = {
  usage: 'delete [streams...]',
  summary: 'delete snapshots; the events stay',
  writes: 'deletes the snapshots that it names',
  examples: [
    { line: 'evstore snapshots delete Order-42', purpose: 'delete one, of any program' },
    { line: 'evstore snapshots delete --stale --dry-run', purpose: 'show which are of other code or another history' },
    { line: 'evstore snapshots delete --stale --yes', purpose: 'delete them without asking' },
  ],
  options: [option('--stale', 'delete those of other code or of events that the stream does not have'), dryRunOption()],
  run: async (streams, flags, context) => {
    if (streams.length > 0 === (flags.stale === true))
      throw eitherOr('streams', '--stale', 'evstore snapshots list --stale');
    const store = await context.openStore();
    const found =
      flags.stale === true
        ? await listStaleSnapshots(store, await loadAggregateCode(context, flags))
        : await Promise.all(streams.map((streamId) => findSnapshot(store, streamId)));
    const dryRun = flags.dryRun === true;
    let deleted: readonly string[] = found.map(({ streamId }) => streamId);
    if (!dryRun && found.length > 0) {
      await context.confirm(
        `Delete ${count(found.length, 'snapshot')}? The next load of each stream reads its events.`,
      );
      deleted = await store.snapshots.delete(found);
    }
    const rows = found
      .filter(({ streamId }) => deleted.includes(streamId))
      .map(({ data: _, ...row }: Row & { data?: string }) => row);
    await printList(context, rows, describeColumns(context), { report: { dryRun, deleted: rows }, nothing: null });
    await context.note(`${count(rows.length, 'snapshot')} ${dryRun ? 'would be deleted' : 'deleted'}`);
    return 0;
  },
};

const verify: Command = {
  usage: 'verify [streams...]',
  summary: 'compare snapshots with the events',
  writes: 'nothing',
  examples: [
    { line: 'evstore snapshots verify', purpose: 'verify all that a load would use' },
    { line: 'evstore snapshots verify Order-42', purpose: 'verify one' },
  ],
  options: [progressOption()],
  run: async (streams, flags, context) => {
    const store = await context.openStore();
    const code = await loadAggregateCode(context, flags);
    const verified: VerifiedSnapshot[] = [];
    let passedOver = 0;
    const progress = await context.progress('snapshots');
    const check = async (streamId: string) => {
      context.io.signal.throwIfAborted();
      const found = await verifySnapshot(store, streamId, code);
      if (found === undefined) passedOver += 1;
      else verified.push(found);
      progress.update(verified.length + passedOver);
    };
    try {
      for (const streamId of streams) await check((await findSnapshot(store, streamId)).streamId);
      if (streams.length === 0) for await (const { streamId } of readSnapshots(store)) await check(streamId);
    } finally {
      progress.stop();
    }
    const wrong = verified.filter(({ fault }) => fault !== null);
    const report = { verified: verified.length, passedOver, wrong };
    await printList(context, wrong, verifiedColumns, { report, nothing: null });
    if (passedOver > 0)
      await context.note(`${count(passedOver, 'snapshot')} not verified: no code of this project uses them`);
    if (wrong.length === 0) {
      await context.note(`${count(verified.length, 'snapshot')} verified`);
      return 0;
    }
    const [first] = wrong;
    throw new EvstoreError('E_CHECK_FAILED', `${wrong.length} of ${count(verified.length, 'snapshot')} differ`, {
      why: 'The code changed under the same version, or the data was changed by hand. Change the version of the aggregate, or delete these snapshots.',
      next: `evstore snapshots delete ${shellWord(first?.streamId ?? '')}`,
      details: { verified: verified.length, wrong: wrong.length },
    });
  },
};

export const command: Command = {
  usage: 'snapshots',
  writes: 'nothing, except create and delete',
  examples: [
    { line: 'evstore snapshots', purpose: 'list snapshots' },
    { line: 'evstore snapshots show Order-42', purpose: 'print the snapshot of a stream' },
  ],
  options: [],
  subcommands: [list, show, create, remove, verify],
  defaultSubcommand: 'list',
};

function eitherOr(names: string, flag: string, next: string): EvstoreError {
  return new EvstoreError('E_USAGE', `name ${names}, or use ${flag}`, { why: 'Exactly one of the two.', next });
}

function withoutSnapshots({ name, file }: LoadedAggregateCode): EvstoreError {
  return new EvstoreError('E_CONFIG', `aggregate ${name} has no snapshots`, {
    why: `A load would not use them. Add snapshot: { every: 100 } to its definition in ${file}.`,
  });
}

const createdColumns: readonly ListColumn<CreatedSnapshot>[] = [
  { heading: 'streamId', title: 'stream', field: ({ streamId }) => streamId },
  { heading: 'version', field: ({ version }) => version, align: 'right' },
  { heading: 'result', field: ({ result }) => result },
];

const verifiedColumns: readonly ListColumn<VerifiedSnapshot>[] = [
  { heading: 'streamId', title: 'stream', field: ({ streamId }) => streamId },
  { heading: 'aggregate', field: ({ aggregate }) => aggregate },
  { heading: 'version', field: ({ version }) => version, align: 'right' },
  { heading: 'fault', field: ({ fault }) => fault, isBelow: true },
];

function describe(snapshot: Row, { view }: Context): string {
  const { streamId, version, eventsSince, bytes, createdAt } = snapshot;
  const since = eventsSince < 0 ? 'beyond the end of its stream' : `${count(eventsSince, 'event')} since`;
  const facts = [`version ${version}`, since, formatBytes(bytes), showTime(createdAt, view, 'relative')];
  return `${view.theme.strong(sanitise(streamId))}: ${facts.join(', ')}`;
}

function describeColumns({ view }: Context): ListColumn<Row>[] {
  const { theme } = view;
  return [
    { heading: 'streamId', title: 'stream', field: (row) => row.streamId, paint: theme.strong },
    { heading: 'streamType', title: 'type', field: (row) => row.streamType, paint: theme.kind, rank: 'low' },
    { heading: 'version', field: (row) => row.version, align: 'right', rank: 'high' },
    { heading: 'streamVersion', field: (row) => row.streamVersion, isForPrograms: true },
    { heading: 'eventsSince', title: 'events since', field: (row) => row.eventsSince, align: 'right' },
    {
      heading: 'bytes',
      title: 'size',
      field: (row) => row.bytes,
      text: (row) => formatBytes(row.bytes),
      align: 'right',
    },
    {
      heading: 'createdAt',
      title: 'created',
      field: (row) => row.createdAt,
      text: (row) => showTime(row.createdAt, view, 'relative'),
      paint: theme.faint,
    },
    { heading: 'aggregate', field: (row) => row.aggregate },
    { heading: 'stateVersion', title: 'code', field: (row) => row.stateVersion, align: 'right', rank: 'low' },
    { heading: 'state', field: (row) => row.state },
  ];
}

/** `evstore snapshots`: look at the snapshots of aggregates. */
import { sanitiseJson } from '../src/domain/safe-json.js';
import { count } from '../src/domain/words.js';
import { renderReport } from '../src/output/json-line.js';
import { formatBytes } from '../src/output/numbers.js';
import { showTime } from '../src/output/relative-time.js';
import { findSnapshot, listSnapshots } from '../src/query/snapshots.js';
import type { SnapshotsOptions } from '../src/store/store.js';
import { sanitise } from '../src/terminal/sanitise.js';
import type { Command, Context } from './options/command.js';
import { option } from './options/option.js';
import { oneOf, wholeNumber } from './options/parse-option.js';
import { timesOption } from './options/shared-options.js';
import { type ListColumn, printList } from './support/print-list.js';

type Row = Awaited<ReturnType<typeof listSnapshots>>[number];

const list: Command = {
  usage: 'list',
  summary: 'list snapshots, and how many events their streams have since',
  writes: 'nothing',
  examples: [
    { line: 'evstore snapshots list', purpose: 'list all snapshots by stream' },
    { line: 'evstore snapshots list --sort size -n 10', purpose: 'list the ten largest' },
    { line: 'evstore snapshots list --stale --category Order', purpose: 'list those of orders with events since' },
  ],
  options: [
    option('--category <name>', 'only streams NAME and NAME-…').conflicts('prefix'),
    option('--prefix <text>', 'only streams whose names begin with this').conflicts('category'),
    option('--stream-type <type>', 'only snapshots of this stream type'),
    option('--stale', 'only snapshots whose stream has events since'),
    option(
      '--sort <order>',
      'sort by name, age (oldest first), size, events (since); all but name read every snapshot (default: name)',
      oneOf('name', 'age', 'size', 'events'),
    ),
    option('-n, --limit <count>', 'list at most this many snapshots', wholeNumber(1)),
    timesOption(),
  ],
  run: async (_args, flags, context) => {
    const options = flags as SnapshotsOptions;
    const snapshots = await listSnapshots(await context.openStore(), options);
    const { category, prefix, streamType, stale } = options;
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
  summary: 'print the snapshot of a stream as JSON',
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

export const command: Command = {
  usage: 'snapshots',
  writes: 'nothing',
  examples: [
    { line: 'evstore snapshots', purpose: 'list snapshots' },
    { line: 'evstore snapshots show Order-42', purpose: 'print the snapshot of a stream' },
  ],
  options: [],
  subcommands: [list, show],
  defaultSubcommand: 'list',
};

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
  ];
}

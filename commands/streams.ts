/** `evstore streams`: which streams there are. */

import { EvstoreError } from '../src/domain/errors.js';
import type { StreamSummary } from '../src/domain/event.js';
import { formatBytes } from '../src/output/numbers.js';
import { describeUnknownNames } from '../src/query/meant.js';
import { measureStreams, type SizedStream } from '../src/query/stream-sizes.js';
import type { Store, StreamsOptions } from '../src/store/store.js';
import type { Command, Context, Flags } from './options/command.js';
import { option } from './options/option.js';
import { oneOf, wholeNumber } from './options/parse-option.js';
import { progressOption, timesOption } from './options/shared-options.js';
import { noteFullScan } from './support/note-scan.js';
import { type ListColumn, printList } from './support/print-list.js';
import { seenColumnsIn } from './support/seen-columns.js';

type Sort = NonNullable<StreamsOptions['sort']> | 'size';

export const command: Command = {
  usage: 'streams',
  writes: 'nothing',
  examples: [
    { line: 'evstore streams', purpose: 'list all streams by name' },
    {
      line: 'evstore streams --category Order --sort recent -n 10',
      purpose: 'list the ten orders changed most recently',
    },
    { line: 'evstore streams --prefix Order-2026', purpose: 'list streams by the beginning of their names' },
    { line: 'evstore streams --sort size -n 10', purpose: 'list the ten streams that take the most bytes' },
    { line: 'evstore streams -q | wc -l', purpose: 'count the streams' },
  ],
  options: [
    option('--category <name>', 'only streams NAME and NAME-…').conflicts('prefix'),
    option('--prefix <text>', 'only streams whose names begin with this').conflicts('category'),
    option(
      '--sort <order>',
      'sort by name, events (reads all streams), recent, size (bytes of data and metadata; see --exact) (default: name)',
      oneOf('name', 'events', 'recent', 'size'),
    ),
    option('-n, --limit <count>', 'list at most this many streams', wholeNumber(1)),
    option(
      '--exact',
      'with --sort size: add up every event of the log. Without it a log of more than 50,000 positions is estimated, marked ~: up to 200 events are read of each of the 100 streams with the most events and the 100 with the most bytes in a sample; the bytes of others are their events times the average of their category',
    ),
    timesOption(),
    progressOption(),
  ],
  run: async (_args, flags, context) => {
    const { category, prefix, limit, sort } = flags as Omit<StreamsOptions, 'sort'> & { readonly sort?: Sort };
    if (flags.exact === true && sort !== 'size') {
      throw new EvstoreError('E_USAGE', '--exact needs --sort size', {
        why: 'Everything else that is listed is exact already.',
        next: context.repeatedWithout(['--sort'], '--sort', 'size'),
      });
    }
    const store = await context.openStore();
    const readsAll = flags.exact === true;
    if (readsAll) await noteFullScan(context, store);
    else if (sort === 'events' || sort === 'size') await noteFullScan(context, store, () => 'every stream');
    const range = {
      signal: context.io.signal,
      ...(category !== undefined && { category }),
      ...(prefix !== undefined && { prefix }),
      ...(limit !== undefined && { limit }),
    };
    const isNarrowed = (category ?? prefix) !== undefined;
    const nothing = isNarrowed ? 'no stream matched' : 'no streams yet';
    const streams =
      sort === 'size'
        ? await listBySize(store, range, flags, nothing, context)
        : await store.log.streams({ ...range, ...(sort !== undefined && { sort }) });
    if (sort !== 'size') await printList(context, streams, describeColumns(context), { report: { streams }, nothing });
    if (streams.length === 0 && category !== undefined) {
      for (const line of await describeUnknownNames(store, { types: [], categories: [category] }))
        await context.note(line);
    }
    return streams.length === 0 && isNarrowed ? 6 : 0;
  },
};

async function listBySize(
  store: Store,
  range: Omit<StreamsOptions, 'sort'>,
  { exact }: Flags,
  nothing: string,
  context: Context,
): Promise<readonly StreamSummary[]> {
  await store.schema.assertGuards();
  const progress = exact === true ? await context.progress('streams') : undefined;
  const { streams, estimated } = await measureStreams(store, {
    ...range,
    exact: exact === true,
    progress: (done, total) => progress?.update(done, { total }),
    signal: context.io.signal,
  }).finally(() => progress?.stop());
  await printList(context, streams, [...describeColumns<SizedStream>(context), ...sizeColumns], {
    report: { streams },
    nothing,
  });
  if (estimated && streams.length > 0) {
    const missed = 'a stream of few, very large events may be missing or too low';
    await context.note(`~ is an estimate from a sample of the log; ${missed}; --exact reads all of it`);
  }
  return streams;
}

const sizeColumns: readonly ListColumn<SizedStream>[] = [
  {
    heading: 'bytes',
    field: ({ bytes }) => bytes,
    text: ({ bytes, estimated }) => `${estimated ? '~' : ''}${formatBytes(bytes)}`,
    align: 'right',
    rank: 'high',
  },
  { heading: 'estimated', field: ({ estimated }) => estimated, isForPrograms: true },
];

function describeColumns<Row extends StreamSummary>({ view }: Pick<Context, 'view'>): ListColumn<Row>[] {
  const { theme } = view;
  const seen = seenColumnsIn(view);
  return [
    { heading: 'streamId', title: 'stream', field: (row) => row.streamId, paint: theme.strong },
    { heading: 'streamType', title: 'type', field: (row) => row.streamType, paint: theme.kind, rank: 'low' },
    { heading: 'events', field: (row) => row.events, align: 'right', rank: 'high' },
    seen.lastPosition,
    seen.firstAt,
    seen.lastAt,
  ];
}

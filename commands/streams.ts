/** `evstore streams`: which streams there are. */

import type { StreamSummary } from '../src/domain/event.js';
import type { StreamsOptions } from '../src/store/store.js';
import type { Command, Context } from './options/command.js';
import { option } from './options/option.js';
import { oneOf, wholeNumber } from './options/parse-option.js';
import { timesOption } from './options/shared-options.js';
import { type ListColumn, printList } from './support/print-list.js';
import { seenColumnsIn } from './support/seen-columns.js';

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
    { line: 'evstore streams -q | wc -l', purpose: 'count the streams' },
  ],
  options: [
    option('--category <name>', 'only streams NAME and NAME-…').conflicts('prefix'),
    option('--prefix <text>', 'only streams whose names begin with this').conflicts('category'),
    option(
      '--sort <order>',
      'sort by name, events (reads all streams), recent (default: name)',
      oneOf('name', 'events', 'recent'),
    ),
    option('-n, --limit <count>', 'list at most this many streams', wholeNumber(1)),
    timesOption(),
  ],
  run: async (_args, flags, context) => {
    const { category, prefix, sort, limit } = flags as StreamsOptions;
    const store = await context.openStore();
    const streams = await store.log.streams({
      ...(category !== undefined && { category }),
      ...(prefix !== undefined && { prefix }),
      ...(sort !== undefined && { sort }),
      ...(limit !== undefined && { limit }),
    });
    const isNarrowed = (category ?? prefix) !== undefined;
    await printList(context, streams, describeColumns(context), {
      report: streams,
      nothing: isNarrowed ? 'no stream matched' : 'no streams yet',
    });
    return streams.length === 0 && isNarrowed ? 6 : 0;
  },
};

function describeColumns({ view }: Pick<Context, 'view'>): ListColumn<StreamSummary>[] {
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

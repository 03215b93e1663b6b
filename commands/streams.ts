/** `evstore streams`: which streams there are. */

import type { StreamSummary } from '../src/domain/event.js';
import { formatAgo } from '../src/output/relative-time.js';
import type { StreamsOptions } from '../src/store/store.js';
import type { Command, Context } from './options/command.js';
import { option } from './options/option.js';
import { oneOf, wholeNumber } from './options/parse-option.js';
import { type ListColumn, printList } from './support/print-list.js';

export const command: Command = {
  usage: 'streams',
  writes: 'nothing',
  examples: [
    { line: 'evstore streams', purpose: 'list all streams by name' },
    {
      line: 'evstore streams --category Order --sort recent -n 10',
      purpose: 'list the ten orders changed most recently',
    },
    { line: 'evstore streams -q | wc -l', purpose: 'count the streams' },
  ],
  options: [
    option('--category <name>', 'only streams NAME and NAME-…'),
    option(
      '--sort <order>',
      'sort by name, events (reads all streams), recent (default: name)',
      oneOf('name', 'events', 'recent'),
    ),
    option('-n, --limit <count>', 'list at most this many streams', wholeNumber(1)),
  ],
  run: async (_args, flags, context) => {
    const { category, sort, limit } = flags as StreamsOptions;
    const store = await context.openStore();
    const streams = await store.log.streams({
      ...(category !== undefined && { category }),
      ...(sort !== undefined && { sort }),
      ...(limit !== undefined && { limit }),
    });
    await printList(context, streams, describeColumns(context), streams);
    if (streams.length === 0) await context.note(category === undefined ? 'no streams yet' : 'no stream matched');
    return streams.length === 0 && category !== undefined ? 6 : 0;
  },
};

function describeColumns({ view }: Context): ListColumn<StreamSummary>[] {
  const { theme, now } = view;
  return [
    { heading: 'streamId', field: (row) => row.streamId, paint: theme.strong },
    { heading: 'streamType', field: (row) => row.streamType, paint: theme.kind },
    { heading: 'events', field: (row) => row.events, align: 'right' },
    { heading: 'lastPosition', field: (row) => row.lastPosition, align: 'right' },
    { heading: 'firstAt', field: (row) => row.firstAt, text: (row) => formatAgo(row.firstAt, now), paint: theme.faint },
    { heading: 'lastAt', field: (row) => row.lastAt, text: (row) => formatAgo(row.lastAt, now), paint: theme.faint },
  ];
}

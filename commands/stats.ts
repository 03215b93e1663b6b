/** `evstore stats`: how much there is, where, and how fast it grows. */

import { parseMoment } from '../src/domain/timestamp.js';
import { type Stats, takeStats } from '../src/query/stats.js';
import type { Command, Context } from './options/command.js';
import { option } from './options/option.js';
import { exactOption, progressOption, timesOption } from './options/shared-options.js';
import { noteEstimate } from './support/estimate.js';
import { printList } from './support/print-list.js';

export const command: Command = {
  usage: 'stats',
  writes: 'nothing',
  examples: [
    { line: 'evstore stats', purpose: 'show size, growth by day, the largest streams' },
    { line: 'evstore stats --since 24h', purpose: 'show what was recorded in the last day, by hour' },
    { line: "evstore stats --json | jq '.byDay[-1]'", purpose: 'print the number of events of the last day' },
  ],
  options: [
    option('--since <moment>', 'only what was recorded since: ISO time (UTC without a zone), or an age such as 24h'),
    exactOption(),
    timesOption(),
    progressOption(),
  ],
  run: async (_args, { since, exact }, context) => {
    const store = await context.openStore();
    await store.schema.assertGuards();
    const progress = exact === true ? await context.progress('stats') : undefined;
    const stats = await takeStats(store, {
      exact: exact === true,
      ...(typeof since === 'string' && { since: parseMoment(since, context.io.now()) }),
      progress: (done, total) => progress?.update(done, { total }),
      signal: context.io.signal,
    }).finally(() => progress?.stop());
    await print(context, stats);
    if (stats.estimated) await noteEstimate(context);
    return 0;
  },
};

/** Programs get days, as the list that `stats` is for them. */
async function print(context: Context, stats: Stats): Promise<void> {
  if (context.format({ people: 'table', pipe: 'tsv' }) === 'table' && !context.quiet) {
    const { renderStats } = await import('../src/output/stats-text.js');
    await context.io.stdout.write(renderStats(stats, context.view));
    return;
  }
  const columns = [
    { heading: 'day', field: ({ day }: Stats['byDay'][number]) => day },
    { heading: 'events', field: ({ events }: Stats['byDay'][number]) => events },
  ];
  await printList(context, stats.byDay, columns, { report: stats, nothing: 'no events in this time' });
}

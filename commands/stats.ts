/** `evstore stats`: how much there is, where, and how fast it grows. */

import { parseMoment } from '../src/domain/timestamp.js';
import type { Period } from '../src/output/stats-text.js';
import { type Stats, takeStats } from '../src/query/stats.js';
import type { Command, Context } from './options/command.js';
import { option } from './options/option.js';
import { oneOf } from './options/parse-option.js';
import { exactOption, progressOption, timesOption } from './options/shared-options.js';
import { noteEstimate } from './support/estimate.js';
import { noteFullScan } from './support/note-scan.js';
import { type ListColumn, printList } from './support/print-list.js';

export const command: Command = {
  usage: 'stats',
  writes: 'nothing',
  examples: [
    { line: 'evstore stats', purpose: 'show size, growth by day, the largest streams' },
    { line: 'evstore stats --since 24h', purpose: 'show what was recorded in the last day, by hour' },
    { line: 'evstore stats --by hour -o tsv', purpose: 'list the events of each hour, for a program' },
    { line: "evstore stats --json | jq '.byDay[-1]'", purpose: 'print the number of events of the last day' },
  ],
  options: [
    option('--since <moment>', 'only what was recorded since: ISO time (UTC without a zone), or an age such as 24h'),
    option(
      '--by <period>',
      'show growth by day or hour (default: hour if all is of one day and the next, otherwise day; in a pipe day)',
      oneOf('day', 'hour'),
    ),
    exactOption(),
    timesOption(),
    progressOption(),
  ],
  run: async (_args, { since, exact, by }, context) => {
    const store = await context.openStore();
    await store.schema.assertGuards();
    if (exact === true) await noteFullScan(context, store);
    const progress = exact === true ? await context.progress('stats') : undefined;
    const stats = await takeStats(store, {
      exact: exact === true,
      ...(typeof since === 'string' && { since: parseMoment(since, context.io.now()) }),
      progress: (done, total) => progress?.update(done, { total }),
      signal: context.io.signal,
    }).finally(() => progress?.stop());
    await print(context, stats, by as Period | undefined);
    if (stats.estimated) await noteEstimate(context);
    if (stats.estimated && by === 'hour') await context.note('an hour of few events may be missing from the estimate');
    return 0;
  },
};

/** Programs get the periods, as the list that `stats` is for them. */
async function print(context: Context, stats: Stats, by: Period | undefined): Promise<void> {
  const answer = { report: stats, nothing: 'no events in this time' };
  if (context.format({ people: 'table', pipe: 'tsv' }) === 'table' && !context.quiet) {
    const { renderStats } = await import('../src/output/stats-text.js');
    await context.io.stdout.write(renderStats(stats, context.view, by));
    return;
  }
  if (by === 'hour') {
    await printList(context, stats.byHour, [{ heading: 'hour', field: ({ hour }) => hour }, events], answer);
  } else {
    await printList(context, stats.byDay, [{ heading: 'day', field: ({ day }) => day }, events], answer);
  }
  if (!context.asJson) {
    await context.note(`a pipe gets the events by ${by ?? 'day'}; sizes, streams and types are in --json`);
  }
}

const events: ListColumn<{ readonly events: number }> = { heading: 'events', field: ({ events }) => events };

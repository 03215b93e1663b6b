/** `evstore trace`: what caused what, across streams. */

import { formatDuration } from '../src/domain/duration.js';
import { relationOf } from '../src/domain/relation.js';
import { count } from '../src/domain/words.js';
import { walkTree } from '../src/query/causation-tree.js';
import { type Trace, trace } from '../src/query/trace.js';
import type { Command, Context } from './options/command.js';
import { option } from './options/option.js';
import { wholeNumber } from './options/parse-option.js';
import { outputOption, progressOption, timesOption } from './options/shared-options.js';
import { explainExtent, searchLog, searchOption } from './support/search.js';

const usualLimit = 1_000;

export const command: Command = {
  usage: 'trace <id>',
  writes: 'nothing',
  examples: [
    { line: 'evstore trace order-42', purpose: 'show all events with this correlation id as a tree' },
    {
      line: 'evstore trace 01985f3a-7c1e-7b2a-9f00-3d5b8c1a2e4f',
      purpose: 'show what led to an event, and what it led to',
    },
    { line: 'evstore trace order-42 -o mermaid > order-42.mmd', purpose: 'write a diagram' },
    { line: "evstore trace order-42 --json | jq '.roots[].event.type'", purpose: 'print what it began with' },
  ],
  options: [
    option('-n, --limit <count>', `show at most this many events (default: ${usualLimit})`, wholeNumber(1)),
    searchOption(),
    outputOption('mermaid'),
    timesOption('local'),
    progressOption(),
  ],
  run: async ([id = ''], flags, context) => {
    const store = await context.openStore();
    await store.schema.assertGuards();
    const limit = typeof flags.limit === 'number' ? flags.limit : usualLimit;
    const found = await searchLog(context, 'trace', flags, (options) => trace(store, id, { ...options, limit }));
    for (const text of join(await render(found, flags.output === 'mermaid', context)))
      await context.io.stdout.write(text);
    if (!context.quiet) await context.note(summarise(found));
    if (!context.quiet && isUncaused(found)) {
      await context.note('no event has a causation id: they are shown in the order of the log');
    }
    if (found.isFull) await context.note(`the first ${count(found.events, 'event')}; -n N shows more`);
    if (!found.searched.isWhole) await explainExtent(context, found.searched);
    return 0;
  },
};

async function render(found: Trace, isDiagram: boolean, context: Context): Promise<Iterable<string>> {
  const { renderTrace, renderTraceJson, renderTraceMermaid, renderTraceTsv } = await import(
    '../src/output/trace-text.js'
  );
  if (isDiagram) return renderTraceMermaid(found.roots);
  if (context.asJson) return renderTraceJson(found);
  if (context.quiet) return [...walkTree(found.roots)].map(({ node }) => `${node.event.id}\n`);
  const isTable = context.format({ people: 'table', pipe: 'tsv' }) === 'table';
  return isTable ? renderTrace(found, context.view) : renderTraceTsv(found.roots);
}

function isUncaused({ roots, events }: Trace): boolean {
  return events > 1 && [...walkTree(roots)].every(({ node }) => relationOf(node.event).causationId === undefined);
}

/** A write for each line would take as long as everything else. */
function* join(lines: Iterable<string>): Generator<string> {
  let text = '';
  for (const line of lines) {
    text += line;
    if (text.length < 65_536) continue;
    yield text;
    text = '';
  }
  yield text;
}

/** `5 events in 3 streams over 2 s`. */
function summarise({ roots, events }: Trace): string {
  const times: number[] = [];
  const streams = new Set<string>();
  for (const { node } of walkTree(roots)) {
    times.push(Date.parse(node.event.createdAt));
    streams.add(node.event.streamId);
  }
  const [first, last] = [times, times].map((all, index) =>
    all.reduce((a, b) => (index === 0 ? Math.min(a, b) : Math.max(a, b))),
  );
  const span = formatDuration((last ?? 0) - (first ?? 0));
  return `${count(events, 'event')} in ${count(streams.size, 'stream')} over ${span}`;
}

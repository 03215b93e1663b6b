/** `evstore types`: lists the types of events, generates TypeScript from them, and checks events against it. */

import { count } from '../src/domain/words.js';
import { groupDigits } from '../src/output/numbers.js';
import type { FieldSummary } from '../src/query/fields.js';
import { listTypes, type TypeSummary } from '../src/query/types.js';
import type { Command, Context } from './options/command.js';
import { listOption, option } from './options/option.js';
import { nameList, parseSample, wholeNumber } from './options/parse-option.js';
import { dryRunOption, exactOption, progressOption, projectionsOption, timesOption } from './options/shared-options.js';
import { checkTypes } from './support/check-types.js';
import { countOf, noteEstimate } from './support/estimate.js';
import { generateTypes } from './support/generate-types.js';
import { noteFullScan } from './support/note-scan.js';
import { type ListColumn, printList } from './support/print-list.js';
import { seenColumnsIn } from './support/seen-columns.js';

const list: Command = {
  usage: 'list',
  summary: 'list the types of events with counts, times and fields',
  writes: 'nothing',
  examples: [
    { line: 'evstore types', purpose: 'list the types of events, the most frequent first' },
    { line: 'evstore types --exact', purpose: 'count all events of a large log, which reads all of it' },
    { line: "evstore types --json | jq '.types[].fields'", purpose: 'print the fields of each type' },
  ],
  options: [
    option('-n, --limit <count>', 'list at most this many types', wholeNumber(1)),
    exactOption(),
    timesOption(),
    progressOption(),
  ],
  run: async (_args, { limit, exact }, context) => {
    const store = await context.openStore();
    await store.schema.assertGuards();
    if (exact === true) await noteFullScan(context, store);
    const progress = exact === true ? await context.progress('types') : undefined;
    const list = await listTypes(store, {
      exact: exact === true,
      progress: (done, total) => progress?.update(done, { total }),
      signal: context.io.signal,
    }).finally(() => progress?.stop());
    const types = list.types.slice(0, limit as number | undefined);
    await printList(context, types, describeColumns(context), {
      report: { ...list, types },
      nothing: 'the store has no events yet',
    });
    if (types.length < list.types.length) await context.note(`${types.length} of ${count(list.types.length, 'type')}`);
    if (list.estimated) await noteEstimate(context);
    return 0;
  },
};

const generate: Command = {
  usage: 'generate',
  summary: 'generate TypeScript types from the stored events',
  writes: 'a file of types, and evstore.types.json in the folder of the config; other files only with --force',
  examples: [
    { line: 'evstore types generate', purpose: 'write evstore.types.d.ts: handlers then know the data of each type' },
    { line: 'evstore types generate --sample all', purpose: 'look at every event of a large store' },
    { line: 'evstore types generate --out src/events.d.ts', purpose: 'write another file; the next run remembers it' },
  ],
  options: [
    option('--out <file>', 'file of types, inside the project (default: that of the last run, or evstore.types.d.ts)'),
    option('--no-enums', 'type every text as string, even when it has few values'),
    option(
      '--sample <events>',
      `look at this many events of each type, or all (default: all up to 50,000 positions, then 1000)`,
      parseSample,
    ),
    option('--force', 'overwrite a file that evstore did not generate, and show what changes'),
    dryRunOption(),
    progressOption(),
  ],
  run: async (_args, flags, context) => {
    await generateTypes(flags, context);
    return 0;
  },
};

const check: Command = {
  usage: 'check',
  summary: 'check that new events fit the generated types, and that each type has a handler',
  writes: 'nothing',
  examples: [
    {
      line: 'evstore types check',
      purpose: 'check the events since the types were generated; exit 1 if one does not fit',
    },
    { line: 'evstore types check --all', purpose: 'check every event of the store' },
    {
      line: 'evstore types check --for order_summary --ignore OrderViewed',
      purpose: 'check what one projection handles',
    },
  ],
  options: [
    option('--all', 'check every event, not only those since the types were generated'),
    listOption('--for <names>', 'projections and sagas that should handle the types: A,B (default: all)', nameList),
    listOption('--ignore <types>', 'types that need no handler: A,B', nameList),
    projectionsOption(),
    progressOption(),
  ],
  run: async (_args, flags, context) => {
    await checkTypes(flags, context);
    return 0;
  },
};

export const command: Command = {
  usage: 'types',
  writes: 'nothing, except generate',
  examples: [
    { line: 'evstore types', purpose: 'list the types of events, the most frequent first' },
    { line: 'evstore types generate', purpose: 'generate TypeScript types from the stored events' },
    { line: 'evstore types check', purpose: 'check that new events fit the generated types' },
  ],
  options: [],
  subcommands: [list, generate, check],
  defaultSubcommand: 'list',
};

function describeColumns({ view }: Pick<Context, 'view'>): ListColumn<TypeSummary>[] {
  const { theme } = view;
  const seen = seenColumnsIn(view);
  return [
    { heading: 'type', field: (row) => row.type, paint: theme.kind },
    {
      heading: 'events',
      field: (row) => row.events,
      text: (row) => countOf(row.events, row.estimated),
      align: 'right',
      rank: 'high',
    },
    { heading: 'estimated', field: (row) => row.estimated, isForPrograms: true },
    { heading: 'share', field: (row) => row.share, text: (row) => formatShare(row.share), align: 'right' },
    seen.firstAt,
    seen.lastAt,
    seen.lastPosition,
    {
      heading: 'schemaVersions',
      title: 'versions',
      field: (row) => row.schemaVersions.map((version) => `v${version}`).join(),
      rank: 'low',
    },
    { heading: 'fields', field: (row) => describeShape(row.fields) },
  ];
}

/** `29 %`, `<1 %`. */
function formatShare(share: number): string {
  const percent = Math.round(share * 100);
  return percent === 0 && share > 0 ? '<1 %' : `${groupDigits(percent)} %`;
}

/** `{customer, total?, items[]}`. */
function describeShape(fields: readonly FieldSummary[]): string {
  if (fields.length === 0) return '';
  const names = fields.map(({ name, types, optional }) => {
    const kind = types.includes('array') ? '[]' : types.includes('object') ? '{}' : '';
    return `${name}${kind}${optional ? '?' : ''}`;
  });
  return `{${names.join(', ')}}`;
}

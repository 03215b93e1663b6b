/** `evstore types`: which types of events there are. */

import { count } from '../src/domain/words.js';
import { groupDigits } from '../src/output/numbers.js';
import type { FieldSummary } from '../src/query/fields.js';
import { listTypes, type TypeSummary } from '../src/query/types.js';
import type { Command, Context } from './options/command.js';
import { option } from './options/option.js';
import { wholeNumber } from './options/parse-option.js';
import { exactOption, progressOption, timesOption } from './options/shared-options.js';
import { countOf, noteEstimate } from './support/estimate.js';
import { noteFullScan } from './support/note-scan.js';
import { type ListColumn, printList } from './support/print-list.js';
import { seenColumnsIn } from './support/seen-columns.js';

export const command: Command = {
  usage: 'types',
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

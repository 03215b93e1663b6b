/** `evstore rows`: look at the rows of a read model. */
import { EvstoreError } from '../src/domain/errors.js';
import type { StoredRow } from '../src/domain/read-model.js';
import { shellWord } from '../src/domain/shell-word.js';
import { count } from '../src/domain/words.js';
import { groupDigits } from '../src/output/numbers.js';
import { isTableProjection } from '../src/projection/define/prepare.js';
import { chooseTable, listRows, type RowList, type Side } from '../src/query/rows.js';
import { sanitise } from '../src/terminal/sanitise.js';
import type { Command, Context, Flags } from './options/command.js';
import { option } from './options/option.js';
import { wholeNumber } from './options/parse-option.js';
import { progressOption, projectionsOption } from './options/shared-options.js';
import { type ListColumn, printList } from './support/print-list.js';
import { printReport } from './support/print-report.js';
import { loadCode } from './support/projection-code.js';

const defaultLimit = 100;

export const command: Command = {
  usage: 'rows <projection> [key...]',
  writes: 'nothing',
  examples: [
    { line: 'evstore rows order_summary', purpose: 'list the first rows, in the order of their key' },
    { line: 'evstore rows order_summary Order-42', purpose: 'show the row of a key' },
    { line: `evstore rows sales '{"customer_id":"c1","day":1}'`, purpose: 'show the row of a key of two columns' },
    { line: 'evstore rows order_summary --sort total:desc -n 10', purpose: 'list the ten largest' },
    { line: `evstore rows order_summary --where "status = 'open'"`, purpose: 'list rows by a condition, as in read' },
    { line: `evstore rows order_summary --where 'paid = true' --count`, purpose: 'count rows' },
    { line: 'evstore rows order_summary --built', purpose: 'list the rows of the rebuild that is unfinished' },
  ],
  options: [
    option('--where <condition>', 'only rows for which this holds: columns, and places in JSON columns'),
    option('--sort <column>', 'sort by a column, ascending; COLUMN:desc for descending (default: by key)', readSort),
    option('-n, --limit <count>', `list at most this many rows (default: ${defaultLimit})`, wholeNumber(1)),
    option('--count', 'print only how many rows match'),
    option('--exact', 'count all rows of a large table (default: estimate it, marked ~)'),
    option('--built', 'the table of the unfinished rebuild, instead of the live one').conflicts('old'),
    option('--old', 'the table that the last swap replaced, as long as it is kept'),
    option('--table <name>', 'which table of a projection that has several'),
    projectionsOption(),
    progressOption(),
  ],
  run: async ([projection = '', ...keys], flags, context) => {
    const { where, sort, table, limit = defaultLimit } = flags as RowsFlags;
    const store = await context.openStore();
    const side: Side = flags.built === true ? 'built' : flags.old === true ? 'old' : 'live';
    const findSpec = (name: string) => findTableSpec(name, projection, flags, context);
    const chosen = await chooseTable(store, { projection, side, table, findSpec });
    const progress = await context.progress(`rows of ${projection}`);
    const counts = flags.count === true;
    const list = await listRows(chosen, {
      store,
      keys,
      where,
      sort: counts ? undefined : sort,
      limit: counts && keys.length === 0 ? 0 : limit,
      counts: counts && (where !== undefined || keys.length > 0),
      exact: flags.exact === true,
      now: context.io.now(),
      startsLong: (rows) => sayLong(rows, context),
      progress: (rows) => progress.update(rows),
      signal: context.io.signal,
    }).finally(() => progress.stop());
    const isNarrowed = where !== undefined || keys.length > 0;
    if (counts) await printCount(list, isNarrowed, context);
    else await print(list, keys.length > 0, context);
    const [missing] = list.missing;
    if (missing !== undefined) throw noRow(list, missing);
    return isNarrowed && list.matched === 0 ? 6 : 0;
  },
};

interface RowsFlags {
  readonly where?: string;
  readonly sort?: { readonly column: string; readonly descending: boolean };
  readonly table?: string;
  readonly limit?: number;
}

function readSort(text: string): RowsFlags['sort'] {
  const [, column = text, direction = 'asc'] = /^(.+):(asc|desc)$/s.exec(text) ?? [];
  return { column, descending: direction === 'desc' };
}

/** Only for an engine that does not know the types; a file that cannot be loaded is no reason to show nothing. */
async function findTableSpec(table: string, projection: string, flags: Flags, context: Context) {
  const { found, failures } = await loadCode(context, flags);
  const code = found.find(({ name }) => name === projection);
  if (code !== undefined && isTableProjection(code))
    return code.shape.spec.name === table ? code.shape.spec : undefined;
  for (const { file } of failures)
    await context.note(`${file} cannot be loaded: columns are of the types of the database`);
  return undefined;
}

async function sayLong(rows: number | null, context: Context): Promise<void> {
  await context.note(`may read ${rows === null ? 'every row' : `about ${groupDigits(rows)} rows`}; Ctrl-C stops`);
}

/** Without a condition the rows of the table are counted, or estimated. */
async function printCount(list: RowList, isNarrowed: boolean, context: Context): Promise<void> {
  const rows = isNarrowed ? list.matched : list.total;
  const estimated = !isNarrowed && list.estimated;
  const { projection, table } = list;
  const text =
    rows === null ? 'unknown' : `${estimated ? '~' : ''}${context.io.stdout.isTTY ? groupDigits(rows) : rows}`;
  await printReport(context, { projection, table, rows, estimated }, rows ?? '', () => `${text}\n`);
  if (estimated) await context.note('estimated; --exact counts every row');
}

async function print(list: RowList, isByKey: boolean, context: Context): Promise<void> {
  const { rows, columns, key } = list;
  const { stdout } = context.io;
  const format = context.format({ people: 'table', pipe: 'tsv' });
  if (context.quiet && format !== 'json' && format !== 'ndjson') {
    for (const row of rows) await stdout.write(`${spellKey(row, key, stdout.isTTY)}\n`);
    return;
  }
  if (format === 'table' && isByKey) {
    const { renderRow } = await import('../src/output/state-text.js');
    await stdout.write(rows.map((row) => `${renderRow(row, context.view).join('\n')}\n`).join('\n'));
    return;
  }
  await printList(context, rows, describeColumns(columns, key), {
    report: list,
    nothing: list.total === 0 ? 'the table is empty' : 'no row matched',
  });
  if (list.truncated) await context.note(`${describeShown(list)}; -n N shows more`);
}

/** A key of several columns as the JSON object that the command takes again. */
function spellKey(row: StoredRow, key: readonly string[], isTTY: boolean): string {
  const [only = '', ...others] = key.length > 0 ? key : Object.keys(row);
  const text =
    others.length === 0 ? String(row[only]) : JSON.stringify(Object.fromEntries(key.map((name) => [name, row[name]])));
  return isTTY ? sanitise(text) : text;
}

function describeColumns(columns: RowList['columns'], key: readonly string[]): readonly ListColumn<StoredRow>[] {
  const sorted = [...columns].sort((a, b) => Number(key.includes(b.name)) - Number(key.includes(a.name)));
  return sorted.map(({ name }) => ({
    heading: name,
    title: sanitise(name),
    field: (row) => row[name] ?? null,
    text: (row) => (row[name] === null ? '-' : String(row[name])),
    ...(key.includes(name) && { rank: 'high' as const }),
  }));
}

function describeShown({ rows, matched, total, estimated }: RowList): string {
  if (matched !== null) return `${groupDigits(rows.length)} of ${count(matched, 'row')}`;
  if (total === null) return `the first ${groupDigits(rows.length)}`;
  return `the first ${groupDigits(rows.length)}; the table has ${estimated ? '~' : ''}${groupDigits(total)} rows`;
}

function noRow({ projection, table }: RowList, key: string): EvstoreError {
  return new EvstoreError('E_NOT_FOUND', `${table} has no row ${key}`, {
    details: { table, key },
    next: `evstore rows ${shellWord(projection)} -n 10`,
  });
}

/** `evstore rebuild --stream`, `--category`, `--key`: some rows of a live read model, made anew in their place. */

import type { Option } from 'commander';
import { EvstoreError } from '../src/domain/errors.js';
import { renderReport } from '../src/output/json-line.js';
import { repairRows } from '../src/projection/repair/repair.js';
import type { RepairScope } from '../src/projection/repair/repair-keys.js';
import type { Context, Flags } from './options/command.js';
import { option } from './options/option.js';
import { readSwitchOptions } from './options/swap-options.js';
import { selectCode } from './support/projection-code.js';

const samples = 10;
/** What is about a second table, of which there is none here. */
const others = ['all', 'resume', 'restart', 'verify', 'maxDiff', 'keepOld', 'check', 'parallel'];

export function repairFlags(): readonly Option[] {
  return [
    option('--stream <name>', 'recompute only the rows of the events of this stream, in the live table'),
    option('--category <name>', 'recompute only the rows of the events of this category, in the live table').conflicts(
      'stream',
    ),
    option('--key <key>', 'recompute only this row: a key value, or a JSON object; can be repeated', addKey).conflicts([
      'stream',
      'category',
    ]),
  ];
}

/** Whether rows are to be made anew in their place, instead of a table beside the live one. */
export function isRepair(flags: Flags): boolean {
  return readScope(flags) !== undefined;
}

export async function repair(names: readonly string[], flags: Flags, context: Context): Promise<number> {
  const scope = readScope(flags);
  const [name, ...more] = names;
  const other = others.find((each) => flags[each] !== undefined) ?? (flags.swap === false ? 'swap' : undefined);
  if (scope === undefined || name === undefined || more.length > 0 || other !== undefined) {
    throw new EvstoreError('E_USAGE', 'single rows can only be recomputed for one projection', {
      why: 'With --stream, --category or --key, name one projection and use no option about a second table.',
      next: 'evstore rebuild --help',
    });
  }
  const [projection] = await selectCode(context, flags, names);
  if (projection === undefined) throw new EvstoreError('E_BUG', 'no projection was chosen');
  const store = await context.openStore();
  const dryRun = flags.dryRun === true;
  const report = await repairRows({ ...readSwitchOptions(flags, store, context), projection, scope, dryRun, samples });
  const { added, removed, changed } = report.rows;
  if (context.asJson) await context.io.stdout.write(renderReport(report));
  else if (context.quiet) await context.io.stdout.write(`${added + removed + changed}\n`);
  else {
    const { renderRepair } = await import('../src/output/diff-text.js');
    await context.io.stdout.write(renderRepair(report, context.view));
  }
  return 0;
}

function addKey(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function readScope({ stream, category, key }: Flags): RepairScope | undefined {
  if (typeof stream === 'string') return { kind: 'stream', streamId: stream };
  if (typeof category === 'string') return { kind: 'category', category };
  return Array.isArray(key) ? { kind: 'keys', keys: key } : undefined;
}

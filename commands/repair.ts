/** `evstore repair`: recomputes single rows of a live read model. */

import { EvstoreError } from '../src/domain/errors.js';
import { ownerName } from '../src/lease/owner.js';
import { groupDigits } from '../src/output/numbers.js';
import { repairRows } from '../src/projection/repair/repair.js';
import type { RepairScope } from '../src/projection/repair/scope.js';
import type { Command, Flags } from './options/command.js';
import { listOption, option } from './options/option.js';
import { dryRunOption, projectionsOption } from './options/shared-options.js';
import { maxWaitFlag, readMaxWait } from './options/swap-options.js';
import { printReport } from './support/print-report.js';
import { selectOne } from './support/projection-code.js';

const samples = 10;

export const command: Command = {
  usage: 'repair <name>',
  writes: 'the rows that were wrong, in one transaction; the checkpoint does not move',
  examples: [
    { line: 'evstore repair order_summary --stream Order-42 --dry-run', purpose: 'show what is wrong' },
    { line: 'evstore repair order_summary --stream Order-42', purpose: 'the rows of one stream' },
    { line: 'evstore repair order_summary --key Order-42 --key Order-43', purpose: 'two rows by key' },
    { line: `evstore repair sales --key '{"customerId":"c1","day":1}'`, purpose: 'a key of two columns' },
  ],
  options: [
    option('--stream <name>', 'repair the rows that events of this stream are about'),
    option('--category <name>', 'repair the rows that events of this category are about').conflicts('stream'),
    listOption('--key <key>', 'repair this row: a value, or a JSON object (repeatable)', (key) => [key]).conflicts([
      'stream',
      'category',
    ]),
    maxWaitFlag('repeat attempts for this long'),
    projectionsOption(),
    dryRunOption(),
  ],
  run: async ([name = ''], flags, context) => {
    const scope = readScope(flags);
    const projection = await selectOne(context, flags, name);
    const store = await context.openStore();
    const { signal } = context.io;
    const dryRun = flags.dryRun === true;
    const common = { store, owner: ownerName(), maxWaitMs: readMaxWait(flags), signal };
    const report = await repairRows({ ...common, projection, scope, dryRun, samples });
    const { live, added, removed, changed } = report.rows;
    if (report.events === 0 && live === 0) throw noSuchRow(name);
    await printReport(context, report, added + removed + changed, async () => {
      const { renderRepair } = await import('../src/output/diff-text.js');
      return renderRepair(report, context.view);
    });
    if (report.auditEnded) {
      await context.note(
        `events that ${name} saw are gone from the log, so verify ${dryRun ? 'would count' : 'counts'} what it sees from position ${groupDigits(report.position)} on; count from the start with: evstore rebuild ${name}`,
      );
    }
    return 0;
  },
};

function readScope({ stream, category, key }: Flags): RepairScope {
  if (typeof stream === 'string') return { kind: 'stream', streamId: stream };
  if (typeof category === 'string') return { kind: 'category', category };
  if (Array.isArray(key)) return { kind: 'keys', keys: key };
  throw new EvstoreError('E_USAGE', 'no rows named', {
    why: 'Give --stream, --category or --key.',
    next: 'evstore repair --help',
  });
}

function noSuchRow(name: string): EvstoreError {
  return new EvstoreError('E_NOT_FOUND', `${name} has no such row`, {
    why: 'No live row has this key, and no event is about it.',
    next: 'evstore repair --help',
  });
}

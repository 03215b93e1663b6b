/** `evstore abort`: drops an unfinished rebuild. */
import { EvstoreError } from '../src/domain/errors.js';
import { renderReport } from '../src/output/json-line.js';
import { ownerName } from '../src/projection/owner.js';
import { abortRebuild, findUnfinished } from '../src/projection/rebuild-lease.js';
import type { Command } from './command.js';
import { dryRunOption } from './shared-options.js';

export const command: Command = {
  usage: 'abort <name>',
  summary: 'drop an unfinished rebuild',
  writes: 'drops the tables of the rebuild; the live ones are untouched',
  examples: [{ line: 'evstore abort order_summary', purpose: 'after an interrupted or unwanted rebuild' }],
  options: [dryRunOption()],
  run: async ([name = ''], flags, context) => {
    const store = await context.openStore();
    const unfinished = await findUnfinished(store, name);
    if (unfinished === undefined) {
      throw new EvstoreError('E_NOT_FOUND', `no unfinished rebuild of ${name}`, { next: 'evstore projections' });
    }
    const dryRun = flags.dryRun === true;
    const tables = unfinished.tables.map(({ built }) => built);
    if (!dryRun) {
      await context.confirm(`Drop ${tables.join(', ')}, filled up to position ${unfinished.position}?`);
      await abortRebuild(store, unfinished, ownerName());
    }
    if (context.format({ people: 'table', pipe: 'table' }) === 'json') {
      await context.io.stdout.write(
        renderReport({ dryRun, projection: name, rebuild: unfinished.id, dropped: tables }),
      );
    } else if (context.quiet) await context.io.stdout.write(`${unfinished.id}\n`);
    else await context.io.stdout.write(`${name}: ${tables.join(', ')} ${dryRun ? 'would be dropped' : 'dropped'}\n`);
    return 0;
  },
};

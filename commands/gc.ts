/** `evstore gc`: drops old tables that swaps replaced. */
import { ownerName } from '../src/lease/owner.js';
import { assertLoaded, retireRebuild } from '../src/projection/journal/drop.js';
import { tablesOf } from '../src/projection/journal/tables.js';
import type { Rebuild } from '../src/store/store.js';
import type { Command } from './options/command.js';
import { option } from './options/option.js';
import { dryRunOption, projectionsOption } from './options/shared-options.js';
import { maxWaitFlag, readPatience } from './options/swap-options.js';
import { type ListColumn, printList } from './support/print-list.js';
import { describeFailure, loadCode } from './support/projection-code.js';

const none = { found: [], failures: [] };

export const command: Command = {
  usage: 'gc',
  writes: 'drops the old tables of swaps; they cannot be rolled back to afterwards',
  examples: [
    { line: 'evstore gc --dry-run', purpose: 'show what would be dropped' },
    { line: 'evstore gc --yes', purpose: 'drop without asking, for a nightly job' },
    { line: 'evstore gc --now', purpose: 'drop all old tables, even those to be kept longer' },
  ],
  options: [
    option('--now', 'drop old tables now, in spite of --keep-old'),
    maxWaitFlag('wait this long for a process that may still work on one'),
    projectionsOption(),
    dryRunOption(),
  ],
  run: async (_args, flags, context) => {
    const store = await context.openStore();
    const now = context.io.now().toISOString();
    const swapped = (await store.projections.rebuilds()).filter(
      ({ state, old }) => state === 'swapped' && old !== null,
    );
    const over = swapped.filter(
      ({ keepOldUntil }) => flags.now === true || keepOldUntil === null || keepOldUntil <= now,
    );
    const { found: code, failures } = over.some(({ oldTarget }) => oldTarget !== null)
      ? await loadCode(context, flags)
      : none;
    for (const { error } of failures) await context.warn(describeFailure(error));
    const codeOf = ({ projection }: Rebuild) => code.find(({ name }) => name === projection);
    const due = over.filter((rebuild) => rebuild.oldTarget === null || codeOf(rebuild) !== undefined);
    const dryRun = flags.dryRun === true;
    if (due.length > 0 && !dryRun) {
      await context.confirm(
        `Drop ${due.flatMap((each) => tablesOf(each, 'old')).join(', ')}? You cannot roll back to them afterwards.`,
      );
      const patience = readPatience(flags, context);
      const options = { store, owner: ownerName(), patience, signal: context.io.signal };
      for (const rebuild of due) await retireRebuild({ ...options, code: codeOf(rebuild) }, rebuild);
    }
    const rows = due.map((each) => {
      return { projection: each.projection, rebuild: each.id, tables: tablesOf(each, 'old') };
    });
    await printList(context, rows, columns, { dryRun, dropped: rows, kept: swapped.length - due.length });
    for (const rebuild of over) if (!due.includes(rebuild)) assertLoaded(rebuild, undefined);
    if (due.length === 0)
      await context.note(swapped.length === 0 ? 'nothing to drop' : `${swapped.length} kept for a rollback`);
    else await context.note(dryRun ? 'these would be dropped' : 'dropped');
    return 0;
  },
};

const columns: readonly ListColumn<{ projection: string; rebuild: number; tables: readonly string[] }>[] = [
  { heading: 'projection', field: ({ projection }) => projection },
  { heading: 'rebuild', field: ({ rebuild }) => rebuild, align: 'right' },
  { heading: 'tables', field: ({ tables }) => tables.join(', ') },
];

/** `evstore gc`: drops the tables that swaps have replaced, when their time is over. */
import type { Rebuild } from '../src/store/store.js';
import { type Command, option } from './command.js';
import { type ListColumn, printList } from './print-list.js';
import { dryRunOption } from './shared-options.js';

export const command: Command = {
  usage: 'gc',
  summary: 'drop replaced tables whose time for a rollback is over',
  writes: 'drops the replaced tables of swaps; there is no rollback to them afterwards',
  examples: [
    { line: 'evstore gc --dry-run', purpose: 'what is due' },
    { line: 'evstore gc --yes', purpose: 'drop it, as a nightly job does' },
    { line: 'evstore gc --now', purpose: 'also what was to be kept longer' },
  ],
  options: [option('--now', 'whatever was said with --keep-old'), dryRunOption()],
  run: async (_args, flags, context) => {
    const store = await context.openStore();
    const now = context.io.now().toISOString();
    const swapped = (await store.projections.rebuilds()).filter(
      ({ state, old }) => state === 'swapped' && old !== null,
    );
    const due = swapped.filter(
      ({ keepOldUntil }) => flags.now === true || keepOldUntil === null || keepOldUntil <= now,
    );
    const dryRun = flags.dryRun === true;
    if (due.length > 0 && !dryRun) {
      await context.confirm(`Drop ${due.flatMap(oldTables).join(', ')}? There is no rollback to them afterwards.`);
      for (const rebuild of due) await store.projections.retire(rebuild);
    }
    const rows = due.map((rebuild) => ({
      projection: rebuild.projection,
      rebuild: rebuild.id,
      tables: oldTables(rebuild),
    }));
    await printList(context, rows, columns, { dryRun, dropped: rows, kept: swapped.length - due.length });
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

function oldTables({ tables }: Rebuild): readonly string[] {
  return tables.map(({ old }) => old);
}

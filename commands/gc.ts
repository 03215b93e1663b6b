/** `evstore gc`: drops old tables that swaps replaced. */

import type { EvstoreError } from '../src/domain/errors.js';
import { ownerName } from '../src/lease/owner.js';
import { groupDigits } from '../src/output/numbers.js';
import { assertLoaded, type DropPlan, planDrop, retireRebuild } from '../src/projection/journal/drop.js';
import type { Rebuild } from '../src/store/store.js';
import type { Command } from './options/command.js';
import { option } from './options/option.js';
import { dryRunOption, projectionsOption } from './options/shared-options.js';
import { maxWaitFlag, readPatience } from './options/swap-options.js';
import { dropEach, noteLeft } from './support/drop-each.js';
import { failWithFirst } from './support/fail-with-first.js';
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
    const plans = await Promise.all(due.map((each) => planDrop(store, each, 'old')));
    const all = plans.flatMap(({ dropped }) => dropped);
    let errors: ReadonlyMap<DropPlan, EvstoreError> = new Map();
    if (plans.length > 0 && !dryRun) {
      if (all.length > 0) await context.confirm(`Drop ${all.join(', ')}? You cannot roll back to them afterwards.`);
      const options = { store, owner: ownerName(), patience: readPatience(flags, context), signal: context.io.signal };
      errors = await dropEach(plans, ({ rebuild }) => retireRebuild({ ...options, code: codeOf(rebuild) }, rebuild));
    }
    const done = plans.filter((plan) => !errors.has(plan));
    const rows = done.map(({ rebuild, dropped, left }) => {
      return { projection: rebuild.projection, rebuild: rebuild.id, tables: dropped, left };
    });
    await printList(context, rows, columns, {
      report: { dryRun, dropped: rows, kept: swapped.length - done.length },
      nothing:
        swapped.length === 0 ? 'nothing to drop' : `${groupDigits(swapped.length - done.length)} kept for a rollback`,
    });
    for (const { left } of done) await noteLeft(left, context);
    for (const rebuild of over) if (!due.includes(rebuild)) assertLoaded(rebuild, undefined);
    if (done.length > 0) await context.note(dryRun ? 'these would be dropped' : 'dropped');
    return failWithFirst([...errors.values()], context);
  },
};

const columns: readonly ListColumn<{ projection: string; rebuild: number; tables: readonly string[] }>[] = [
  { heading: 'projection', field: ({ projection }) => projection },
  { heading: 'rebuild', field: ({ rebuild }) => rebuild, align: 'right' },
  { heading: 'tables', field: ({ tables }) => tables.join(', ') },
];

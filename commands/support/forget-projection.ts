/** Forgets or renames a projection in the store. */
import { EvstoreError } from '../../src/domain/errors.js';
import { assertDroppable, type ForgetPlan, forgetProjection, planForget } from '../../src/projection/status/forget.js';
import { planRename } from '../../src/projection/status/rename.js';
import type { Context, Flags } from '../options/command.js';
import { printReport } from './print-report.js';
import { findCode, selectOne } from './projection-code.js';

export async function forget(name: string, flags: Flags, context: Context): Promise<void> {
  const store = await context.openStore();
  const plan = await planForget(store, name);
  const dryRun = flags.dryRun === true;
  const asked = flags.dropTables === true ? 'drop' : flags.keepTables === true ? 'keep' : undefined;
  const isDropped = asked ?? (dryRun || plan.tables.length === 0 ? 'keep' : await ask(plan, context));
  const drop = isDropped === 'drop';
  assertDroppable(name, plan.target, drop);
  const tables = dryRun ? plan.tables : await forgetProjection(store, plan, drop);
  const report = {
    dryRun,
    projection: name,
    dropped: drop ? tables : [],
    kept: drop ? [] : tables,
    target: plan.target,
  };
  const would = dryRun ? 'would be ' : '';
  const what = tables.length === 0 ? '' : `; ${tables.join(', ')} ${would}${drop ? 'dropped' : 'kept'}`;
  await printReport(context, report, name, () => `${name}: ${would}forgotten${what}\n`);
  if (dryRun && asked === undefined && plan.tables.length > 0) {
    await context.note('--drop-tables would drop the tables too');
  }
  if (!drop && plan.target !== null) await context.note(`its rows stay in ${plan.target}, outside this store`);
}

/** @throws E_CONFIRM without a terminal, and for another answer */
async function ask({ projection, tables }: ForgetPlan, context: Context): Promise<'keep' | 'drop'> {
  const question = `Forget ${projection} and its checkpoint. Keep or drop ${tables.join(', ')}?`;
  const answer = (await context.io.ask(`${question} [keep/drop/CANCEL] `))?.trim().toLowerCase();
  if (answer === 'keep' || answer === 'drop') return answer;
  context.io.signal.throwIfAborted();
  throw new EvstoreError(
    'E_CONFIRM',
    answer === undefined ? 'no terminal to ask what to do with the tables' : 'not confirmed',
    {
      why: `${question} Use --keep-tables or --drop-tables. Nothing was changed.`,
      next: context.repeatedWith('--keep-tables'),
    },
  );
}

export async function rename(from: string, to: string, flags: Flags, context: Context): Promise<void> {
  const store = await context.openStore();
  const code = await selectOne(context, flags, to);
  const still = await findCode(context, flags, from);
  if (still !== undefined) {
    throw new EvstoreError('E_CONFIG', `${still.file} still defines ${from}`, {
      why: `A runner of that code would make its table again. Rename it in the code first.`,
      next: 'evstore projections',
    });
  }
  const plan = await planRename(store, from, code);
  const dryRun = flags.dryRun === true;
  if (!dryRun) await store.projections.rename(from, plan);
  const moved = Object.entries(plan.tables).map(([before, after]) => `table ${before} → ${after}`);
  const text = [`${from} → ${to}`, ...moved].join(', ');
  const report = { dryRun, from, to, tables: plan.tables };
  await printReport(context, report, to, () => `${dryRun ? 'would be renamed' : 'renamed'}: ${text}\n`);
  if (!dryRun) await context.note(`continue with: evstore run ${to}`);
}

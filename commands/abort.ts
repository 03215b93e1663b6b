/** `evstore abort`: drops unfinished rebuilds. */
import { EvstoreError } from '../src/domain/errors.js';
import { describeMeant } from '../src/domain/similar.js';
import { ownerName } from '../src/lease/owner.js';
import { renderReport } from '../src/output/json-line.js';
import { abortRebuild, assertLoaded } from '../src/projection/journal/drop.js';
import { findAllUnfinished, findUnfinished } from '../src/projection/journal/find.js';
import { tablesOf } from '../src/projection/journal/tables.js';
import type { Rebuild, Store } from '../src/store/store.js';
import type { Command, Context } from './options/command.js';
import { option } from './options/option.js';
import { assertNamedOrAll, dryRunOption, projectionsOption } from './options/shared-options.js';
import { maxWaitFlag, readPatience } from './options/swap-options.js';
import { findAllCode } from './support/projection-code.js';

export const command: Command = {
  usage: 'abort [name]',
  writes: 'drops the tables of the rebuild; the live tables are unchanged',
  examples: [
    { line: 'evstore abort order_summary', purpose: 'drop an interrupted or unwanted rebuild' },
    { line: 'evstore abort --all --yes', purpose: 'drop every unfinished rebuild; exit 0 if there is none' },
  ],
  options: [
    option('--all', 'drop every unfinished rebuild of this store'),
    maxWaitFlag('wait this long for a process that may still work on one'),
    projectionsOption(),
    dryRunOption(),
  ],
  run: async ([name], flags, context) => {
    assertNamedOrAll(name === undefined ? [] : [name], flags);
    const store = await context.openStore();
    const unfinished = name === undefined ? await findAllUnfinished(store) : [await findNamed(store, name)];
    const external = unfinished.filter(({ target }) => target !== null);
    const names = external.map(({ projection }) => projection);
    const loaded = external.length === 0 ? [] : await findAllCode(context, flags, names);
    const codeOf = ({ projection }: Rebuild) => loaded.find(({ name: each }) => each === projection);
    for (const each of external) assertLoaded(each, codeOf(each));
    const dryRun = flags.dryRun === true;
    if (!dryRun && unfinished.length > 0) {
      await context.confirm(`Drop ${unfinished.map(describeTables).join('; ')}?`);
      const patience = readPatience(flags, context);
      const options = { store, owner: ownerName(), patience, signal: context.io.signal };
      for (const each of unfinished) await abortRebuild({ ...options, code: codeOf(each) }, each);
    }
    await print(unfinished, name !== undefined, dryRun, context);
    return 0;
  },
};

async function print(
  unfinished: readonly Rebuild[],
  isNamed: boolean,
  dryRun: boolean,
  context: Context,
): Promise<void> {
  const { stdout } = context.io;
  const aborted = unfinished.map((each) => {
    return { projection: each.projection, rebuild: each.id, dropped: tablesOf(each, 'built') };
  });
  if (context.asJson) {
    // With a name, its own fields are repeated at the top.
    await stdout.write(renderReport({ dryRun, ...(isNamed ? aborted[0] : {}), aborted }));
    return;
  }
  for (const { projection, rebuild, dropped } of aborted) {
    const line = `${projection}: ${dropped.join(', ')} ${dryRun ? 'would be dropped' : 'dropped'}`;
    await stdout.write(`${context.quiet ? rebuild : line}\n`);
  }
  if (aborted.length === 0) await context.note('there is no unfinished rebuild');
}

async function findNamed(store: Store, name: string): Promise<Rebuild> {
  const unfinished = await findUnfinished(store, name);
  if (unfinished !== undefined) return unfinished;
  throw new EvstoreError('E_NOT_FOUND', `${name} has no unfinished rebuild`, {
    why: describeMeant(await store.projections.list(), name),
    next: 'evstore projections',
  });
}

function describeTables(rebuild: Rebuild): string {
  return `${tablesOf(rebuild, 'built').join(', ')}, filled up to position ${rebuild.position}`;
}

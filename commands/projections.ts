/** `evstore projections`: compares the projections in code with those in the database, forgets and renames them. */
import { relative } from 'node:path';
import { describeFinding, type Finding, sortFindings } from '../src/domain/finding.js';
import { partOf } from '../src/domain/parts.js';
import { count } from '../src/domain/words.js';
import { projectionChecks } from '../src/findings/checks.js';
import { examineStore } from '../src/findings/examine.js';
import { summariseFailure } from '../src/output/failure-text.js';
import type { Mark } from '../src/output/glyphs.js';
import { groupDigits } from '../src/output/numbers.js';
import { type InventoryItem, takeInventory } from '../src/projection/status/inventory.js';
import type { Command, Context } from './options/command.js';
import { option } from './options/option.js';
import { dryRunOption, projectionsOption } from './options/shared-options.js';
import { failWithFirst } from './support/fail-with-first.js';
import { forget, rename } from './support/forget-projection.js';
import { type ListColumn, printList, rarely } from './support/print-list.js';
import { describeWithout, loadCode } from './support/projection-code.js';

const list: Command = {
  usage: 'list',
  summary: 'list the projections in the code and in the database',
  writes: 'nothing',
  examples: [
    { line: 'evstore projections', purpose: 'list registered, new, stale and detached projections' },
    {
      line: `evstore projections -o ndjson | jq 'select(.state != "current")'`,
      purpose: 'print the projections that need an action',
    },
  ],
  options: [projectionsOption()],
  run: async (_args, flags, context) => {
    const code = await loadCode(context, flags);
    const store = await context.openStore();
    const projections = await takeInventory(store, code);
    const found = await examineStore(store, projectionChecks, context.io.now());
    const findings = found.findings.filter((finding) => concerns(finding, projections));
    const named = projections.filter(({ name }) => name !== null);
    await printList(
      context,
      context.quiet ? named : projections,
      [
        ...columnsIn(context.io.cwd),
        ...rarely(context, projections, parkedColumn),
        ...rarely(context, projections, errorColumn),
        // Of the rows: they come from the statistics of the engine.
        { heading: 'estimated', field: ({ estimatedRows }) => estimatedRows !== null, isForPrograms: true },
      ],
      {
        report: { projections, findings },
        nothing: 'no projection in the code or in the store',
        mark: (item) => markOf(item, findings),
      },
    );
    await tell(findings, projections, context);
    await hint(named, context);
    const without = describeWithout(code, context.io.cwd, 'no projection');
    if (without !== undefined) await context.note(without);
    return failWithFirst(
      code.failures.map(({ error }) => error),
      context,
    );
  },
};

const forgetting: Command = {
  usage: 'forget <name>',
  summary: 'remove a projection from the store that the code no longer defines',
  writes: 'deletes its checkpoint, parked events and swaps; keeps or drops its tables',
  examples: [
    { line: 'evstore projections forget order_summary --dry-run', purpose: 'show what would be removed' },
    { line: 'evstore projections forget order_summary --keep-tables', purpose: 'leave its tables to you' },
    { line: 'evstore projections forget order_summary --drop-tables', purpose: 'drop its live and old tables too' },
  ],
  options: [
    option('--keep-tables', 'keep the tables; they are no longer evstore tables').conflicts('dropTables'),
    option('--drop-tables', 'drop the live tables, and those kept for a rollback'),
    dryRunOption(),
  ],
  run: async ([name = ''], flags, context) => {
    await forget(name, flags, context);
    return 0;
  },
};

const renaming: Command = {
  usage: 'rename <old> <new>',
  summary: 'rename a projection in the store after it was renamed in the code',
  writes: 'the name of the projection, and of its table if the code gives it another',
  examples: [
    { line: 'evstore projections rename orders order_summary --dry-run', purpose: 'show what would be renamed' },
    { line: 'evstore projections rename orders order_summary', purpose: 'keep its rows, position and parked events' },
  ],
  options: [projectionsOption(), dryRunOption()],
  run: async ([from = '', to = ''], flags, context) => {
    await rename(from, to, flags, context);
    return 0;
  },
};

export const command: Command = {
  usage: 'projections',
  writes: 'nothing, except forget and rename',
  examples: [
    { line: 'evstore projections', purpose: 'list registered, new, stale and detached projections' },
    {
      line: 'evstore projections forget order_summary --keep-tables',
      purpose: 'remove a projection that the code no longer defines',
    },
  ],
  options: [],
  subcommands: [list, forgetting, renaming],
  defaultSubcommand: 'list',
};

function columnsIn(cwd: string): readonly ListColumn<InventoryItem>[] {
  return [
    { heading: 'name', field: ({ name }) => name },
    { heading: 'state', field: ({ state }) => state, rank: 'high' },
    { heading: 'version', field: ({ version }) => version, align: 'right', rank: 'low' },
    { heading: 'code', field: ({ codeVersion }) => codeVersion, align: 'right', rank: 'low' },
    { heading: 'position', field: ({ position }) => position, align: 'right' },
    {
      heading: 'rows',
      field: ({ estimatedRows }) => estimatedRows,
      text: ({ estimatedRows }) => about(estimatedRows),
      align: 'right',
    },
    { heading: 'kept', field: ({ kept }) => kept.join(',') || null, rank: 'low' },
    {
      heading: 'rebuild',
      field: ({ rebuild }) => (rebuild === null ? null : `${rebuild.state} at ${rebuild.position}`),
      text: ({ rebuild }) => (rebuild === null ? '-' : `${rebuild.state} at ${groupDigits(rebuild.position)}`),
    },
    { heading: 'file', field: ({ file }) => (file === null ? null : relative(cwd, file)), rank: 'low' },
  ];
}

/** Sagas and subscriptions of other programs are not listed. */
function concerns({ kind, subject }: Finding, items: readonly InventoryItem[]): boolean {
  const isOfOne = kind === 'stopped' || kind === 'moved-by-hand';
  return !isOfOne || items.some(({ name }) => name === partOf(subject).projection);
}

/** As `lag` marks it: what stopped is not well because its code is current. */
function markOf({ name, state, parked, error }: InventoryItem, findings: readonly Finding[]): Mark {
  const own = findings.filter(({ subject }) => partOf(subject).projection === name);
  if (error !== null || own.some(({ severity }) => severity === 'error')) return 'bad';
  if (own.some(({ severity }) => severity === 'warning')) return 'caution';
  if (state === 'stale' || state === 'stale code' || parked > 0) return 'caution';
  return state === 'current' ? 'active' : 'idle';
}

const parkedColumn: ListColumn<InventoryItem> = {
  heading: 'parked',
  field: ({ parked }) => parked,
  text: ({ parked }) => (parked === 0 ? '-' : groupDigits(parked)),
  align: 'right',
};
const errorColumn: ListColumn<InventoryItem> = {
  heading: 'error',
  field: ({ error }) => error,
  text: ({ error }) => summariseFailure(error ?? ''),
  isBelow: true,
};

/** A stopped projection whose code is stale or missing cannot be run, so only the advice about its code is printed. */
async function tell(findings: readonly Finding[], items: readonly InventoryItem[], context: Context): Promise<void> {
  for (const finding of sortFindings(findings)) {
    await context.note(describeFinding(finding));
    const item = items.find(({ name }) => name === partOf(finding.subject).projection);
    const cannotRun = finding.kind === 'stopped' && item !== undefined && item.state !== 'failed';
    if (finding.next !== null && !cannotRun) await context.note(`  next: ${finding.next}`);
  }
}

async function hint(projections: readonly InventoryItem[], context: Context): Promise<void> {
  if (projections.length === 0) {
    await context.note('there is no projection yet; generate one with: evstore scaffold projection NAME');
  }
  for (const { name, state, unverified, rebuild, parked } of projections) {
    if (parked > 0) {
      await context.note(`${name} has ${count(parked, 'parked event')}; see: evstore parked list ${name}`);
    }
    if (rebuild !== null) {
      const isReady = rebuild.state === 'ready';
      const way = isReady ? `swap it in with: evstore swap ${name}` : `resume it with: evstore rebuild ${name}`;
      await context.note(`${name} has a rebuild; ${way}, or drop it with: evstore abort ${name}`);
    } else if (state === 'new') await context.note(`${name} is new; create its table with: evstore run ${name}`);
    else if (state === 'detached' && name !== null) await context.note(describeDetached(name, projections));
    else if (state === 'stale') await context.note(`${name} is stale; update it with: evstore rebuild ${name}`);
    else if (state === 'stale code') {
      await context.note(`${name}: the code changed under the same version; update it with: evstore rebuild ${name}`);
    } else if (state === 'unverified') {
      await context.note(
        `${name}: whether its functions changed since its rows were made is unknown: ${unverified}; if they did, update it with: evstore rebuild ${name}`,
      );
    }
  }
}

function describeDetached(name: string, projections: readonly InventoryItem[]): string {
  const added = projections.filter(({ state }) => state === 'new');
  const renamed =
    added.length === 0
      ? ''
      : `, or, if it was renamed: evstore projections rename ${name} ${added.length === 1 ? added[0]?.name : 'NEW'}`;
  return `${name} is detached, because no code defines it; remove it with: evstore projections forget ${name}${renamed}`;
}

function about(rows: number | null): string {
  return rows === null ? '-' : `~${groupDigits(rows)}`;
}

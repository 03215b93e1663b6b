/** `evstore projections`: compares the projections in code with those in the database. */
import { relative } from 'node:path';
import { count } from '../src/domain/words.js';
import type { Mark } from '../src/output/glyphs.js';
import { groupDigits } from '../src/output/numbers.js';
import { type InventoryItem, takeInventory } from '../src/projection/status/inventory.js';
import type { Command, Context } from './options/command.js';
import { projectionsOption } from './options/shared-options.js';
import { failWithFirst } from './support/fail-with-first.js';
import { type ListColumn, printList, rarely } from './support/print-list.js';
import { describeWithout, loadCode } from './support/projection-code.js';

export const command: Command = {
  usage: 'projections',
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
    const projections = await takeInventory(await context.openStore(), code);
    const named = projections.filter(({ name }) => name !== null);
    await printList(
      context,
      context.quiet ? named : projections,
      [
        ...columnsIn(context.io.cwd),
        ...rarely(context, projections, parkedColumn),
        ...rarely(context, projections, errorColumn),
      ],
      { projections },
      markOf,
    );
    await hint(named, context);
    const without = describeWithout(code, context.io.cwd, 'no projection');
    if (without !== undefined) await context.note(without);
    return failWithFirst(
      code.failures.map(({ error }) => error),
      context,
    );
  },
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
    },
    { heading: 'file', field: ({ file }) => (file === null ? null : relative(cwd, file)), rank: 'low' },
  ];
}

function markOf({ state, parked }: InventoryItem): Mark {
  if (state === 'stale' || state === 'stale code' || parked > 0) return 'caution';
  return state === 'current' ? 'active' : 'idle';
}

const parkedColumn: ListColumn<InventoryItem> = { heading: 'parked', field: ({ parked }) => parked, align: 'right' };
const errorColumn: ListColumn<InventoryItem> = { heading: 'error', field: ({ error }) => error };

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

function about(rows: number | null): string {
  return rows === null ? '-' : `~${groupDigits(rows)}`;
}

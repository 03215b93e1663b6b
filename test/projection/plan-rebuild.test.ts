import { describe, expect, it } from 'vitest';
import type { ReadModel } from '../../src/domain/read-model.js';
import { planRebuild, type RebuildFacts } from '../../src/projection/rebuild/plan.js';
import type { ProjectionRecord, Rebuild, TableFacts } from '../../src/store/store.js';
import { errorOf } from '../support/events.js';

const table: TableFacts = { table: 'orders', exists: true, estimatedRows: 9, indexes: [], carried: [], blocking: [] };
const record: ProjectionRecord = {
  name: 'orders',
  version: 1,
  codeHash: 'd;ts1=a',
  tables: ['orders'],
  generation: 0,
  registeredAt: '',
  mode: 'async',
  target: null,
  parts: 1,
  inlineRests: false,
};
const unfinished: Rebuild = {
  id: 7,
  projection: 'orders',
  version: 2,
  codeHash: 'd;ts1=b',
  state: 'filling',
  position: 40,
  tables: [],
  old: null,
  owner: null,
  createdAt: '',
  updatedAt: '',
  swappedAt: null,
  keepOldUntil: null,
  target: null,
  oldTarget: null,
};
const facts: RebuildFacts = {
  projection: {
    name: 'orders',
    version: 2,
    codeHash: 'd;ts1=b',
    tables: ['orders'],
    filter: { types: ['A'], category: 'Order' },
    model: {
      kind: 'table',
      spec: { name: 'orders', columns: [{ name: 'id', type: 'text' }], key: ['id'], indexes: [] },
    },
  },
  record,
  livePosition: 60,
  head: 101,
  safeHead: 100,
  unfinished: undefined,
  lastRebuild: 7,
  tables: [table],
  taken: [],
  notOwned: [],
};
const refusal = (
  changes: Partial<RebuildFacts>,
  code: Parameters<typeof errorOf>[0],
  mode: 'auto' | 'resume' | 'restart' = 'auto',
) => errorOf(code, (async () => planRebuild({ ...facts, ...changes }, mode))());

describe('planRebuild', () => {
  it('fills to the live table, not to the moving head', () => {
    expect(planRebuild(facts, 'auto')).toEqual({
      projection: 'orders',
      action: 'start',
      parts: 1,
      resumes: null,
      fromVersion: 1,
      toVersion: 2,
      code: 'stale',
      tables: [table],
      liveTarget: null,
      builtTarget: null,
      names: [{ live: 'orders', built: 'orders__v2_8', old: 'orders__old_8' }],
      types: ['A'],
      category: 'Order',
      livePosition: 60,
      from: 0,
      target: 60,
    });
  });

  it('fills to the safe head without a live table, or with an empty one', () => {
    expect(planRebuild({ ...facts, livePosition: undefined, record: undefined }, 'auto')).toMatchObject({
      target: 100,
      fromVersion: null,
      code: null,
    });
    expect(planRebuild({ ...facts, livePosition: 0 }, 'auto')).toMatchObject({ target: 100 });
  });

  it('resumes a rebuild of the same code, and restarts it with --restart', () => {
    expect(planRebuild({ ...facts, unfinished }, 'auto')).toMatchObject({
      action: 'resume',
      resumes: { rebuild: 7, state: 'filling', position: 40 },
      from: 40,
    });
    expect(planRebuild({ ...facts, unfinished }, 'resume')).toMatchObject({ action: 'resume' });
    expect(planRebuild({ ...facts, unfinished }, 'restart')).toMatchObject({ action: 'restart', from: 0 });
    expect(planRebuild(facts, 'restart')).toMatchObject({ action: 'start' });
  });

  it('refuses other code in either mode that resumes', async () => {
    for (const changed of [
      { ...unfinished, version: 3 },
      { ...unfinished, codeHash: 'd;ts1=c' },
      { ...unfinished, codeHash: 'd' },
    ]) {
      for (const mode of ['auto', 'resume'] as const) {
        expect((await refusal({ unfinished: changed }, 'E_LOCK_HELD', mode)).next).toBe(
          'evstore rebuild orders --restart',
        );
      }
    }
  });

  it('refuses to resume a rebuild beyond the end of the log', async () => {
    await refusal({ unfinished: { ...unfinished, position: 102 } }, 'E_DIVERGED');
  });

  it('refuses what a swap would lose, by name', async () => {
    const blocking = [{ kind: 'foreign key', name: 'lines_order_fkey' }];
    const error = await refusal({ tables: [{ ...table, blocking }] }, 'E_UNSAFE_STORE');
    expect(error.message).toContain('foreign key lines_order_fkey on orders');
  });

  it('refuses code that no longer has a table', async () => {
    const error = await refusal({ record: { ...record, tables: ['orders', 'lines'] } }, 'E_CONFIG');
    expect(error.message).toBe('projection orders no longer has the table lines');
  });

  it('W7: shortens the names of its tables where they would be too long, to the byte', () => {
    const oldOf = (name: string, lastRebuild = 7) => {
      const projection = { ...facts.projection, name, tables: [name] };
      return planRebuild({ ...facts, projection, record: undefined, lastRebuild }, 'auto').names[0]?.old;
    };
    // `__old_8_idx99` takes 13 bytes.
    const longest = 'a'.repeat(50);
    expect(oldOf(longest)).toBe(`${longest}__old_8`);
    expect(oldOf(`${longest}a`)).toMatch(/^a{41}_[0-9a-f]{8}__old_8$/);
    expect(oldOf(longest, 99)).toMatch(/^a{39}_[0-9a-f]{8}__old_100$/);
  });

  it('W7: refuses a statement with a name that is too long, before anything is made', async () => {
    const named = (model: ReadModel) => ({
      projection: { ...facts.projection, tables: ['orders'], model },
      record: undefined,
    });
    const indexed = (index: string): ReadModel => ({
      kind: 'sql',
      tables: ['orders'],
      create: (physical) => [{ parts: [{ kind: 'identifier', name: `${physical('orders')}_${index}` }] }],
    });
    // `orders__v2_8_` takes 13 bytes, ä two.
    expect(planRebuild({ ...facts, ...named(indexed('ä'.repeat(25))) }, 'auto').action).toBe('start');
    const error = await refusal(named(indexed(`${'ä'.repeat(25)}a`)), 'E_INVALID_INPUT');
    expect(error.message).toContain('is 64 bytes long');
  });
});

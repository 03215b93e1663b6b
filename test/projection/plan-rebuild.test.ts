import { describe, expect, it } from 'vitest';
import { planRebuild, type RebuildFacts } from '../../src/projection/plan-rebuild.js';
import type { ProjectionRecord, Rebuild, TableFacts } from '../../src/store/store.js';
import { errorOf } from '../support/events.js';

const table: TableFacts = { table: 'orders', exists: true, estimatedRows: 9, indexes: [], carried: [], blocking: [] };
const record: ProjectionRecord = {
  name: 'orders',
  version: 1,
  codeHash: 'a',
  tables: ['orders'],
  generation: 0,
  registeredAt: '',
  target: null,
  parts: 1,
};
const unfinished: Rebuild = {
  id: 7,
  projection: 'orders',
  version: 2,
  codeHash: 'b',
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
    codeHash: 'b',
    tables: ['orders'],
    filter: { types: ['A'], category: 'Order' },
  },
  record,
  livePosition: 60,
  head: 101,
  safeHead: 100,
  unfinished: undefined,
  tables: [table],
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
      fromVersion: 1,
      toVersion: 2,
      code: 'stale',
      tables: [table],
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

  it('resumes the same code, and begins anew when told', () => {
    expect(planRebuild({ ...facts, unfinished }, 'auto')).toMatchObject({ action: 'resume', from: 40 });
    expect(planRebuild({ ...facts, unfinished }, 'resume')).toMatchObject({ action: 'resume' });
    expect(planRebuild({ ...facts, unfinished }, 'restart')).toMatchObject({ action: 'restart', from: 0 });
    expect(planRebuild(facts, 'restart')).toMatchObject({ action: 'start' });
  });

  it('refuses other code in either mode that resumes', async () => {
    for (const changed of [
      { ...unfinished, version: 3 },
      { ...unfinished, codeHash: 'c' },
    ]) {
      for (const mode of ['auto', 'resume'] as const) {
        expect((await refusal({ unfinished: changed }, 'E_LOCK_HELD', mode)).next).toBe(
          'evstore rebuild orders --restart',
        );
      }
    }
  });

  it('refuses to resume what was made beyond the end of the log', async () => {
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
});

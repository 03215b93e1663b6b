/** Finds the columns of two tables to compare, and the key that matches their rows. */
import { EvstoreError } from '../../domain/errors.js';
import type { CatalogColumn, ComparedColumn, ComparedTable } from '../comparison.js';

/**
 * @throws E_CONFIG for a table without a primary key, or with another one than before
 * @throws E_UNSAFE_STORE for a table that is gone
 */
export function matchColumns(
  table: string,
  live: readonly CatalogColumn[],
  rebuilt: readonly CatalogColumn[],
): ComparedTable {
  if (live.length === 0 || rebuilt.length === 0) {
    throw new EvstoreError('E_UNSAFE_STORE', `the ${live.length === 0 ? 'live' : 'rebuilt'} table ${table} is gone`, {
      why: 'It was dropped or renamed outside evstore.',
      next: 'evstore projections',
    });
  }
  const [liveKey, rebuiltKey] = [keyOf(live), keyOf(rebuilt)];
  const key = rebuiltKey.map(({ name }) => name);
  if (liveKey.length === 0 || key.length === 0) {
    throw new EvstoreError('E_CONFIG', `table ${table} has no primary key`, {
      why: 'Rows are compared by key: without one, rows cannot be matched.',
      details: { table },
    });
  }
  if (liveKey.length !== key.length || liveKey.some(({ name }) => !key.includes(name))) {
    const before = liveKey.map(({ name }) => name);
    throw new EvstoreError('E_CONFIG', `table ${table} has another primary key than before`, {
      why: `The live one is (${before.join(', ')}), the rebuilt one (${key.join(', ')}): their rows cannot be matched.`,
      details: { table, live: before, rebuilt: key },
    });
  }
  const names = (columns: readonly CatalogColumn[]) => new Set(columns.map(({ name }) => name));
  const [liveNames, rebuiltNames] = [names(live), names(rebuilt)];
  return {
    kind: 'table',
    table,
    key: rebuiltKey.map(toCompared),
    columns: rebuilt.filter(({ name }) => liveNames.has(name) && !key.includes(name)).map(toCompared),
    onlyLive: [...liveNames].filter((name) => !rebuiltNames.has(name)),
    onlyRebuilt: [...rebuiltNames].filter((name) => !liveNames.has(name)),
  };
}

function keyOf(columns: readonly CatalogColumn[]): readonly CatalogColumn[] {
  return columns.filter(({ keyPlace }) => keyPlace !== null).sort((a, b) => (a.keyPlace ?? 0) - (b.keyPlace ?? 0));
}

function toCompared({ name, type }: CatalogColumn): ComparedColumn {
  return { name, type };
}

/** @throws E_SUPERSEDED unless both are at one position and the rebuild's tables exist */
export function assertOnePosition(projection: string, live: number | null, rebuilt: number, state: string): number {
  if (live === rebuilt && (state === 'filling' || state === 'ready')) return rebuilt;
  const where = live === null ? 'The live tables are not at one position' : `The live tables are at ${live}`;
  throw new EvstoreError('E_SUPERSEDED', `the tables of ${projection} are not at one position`, {
    why: `${where}, the built tables at ${rebuilt} (${state}).`,
    next: `evstore diff ${projection}`,
    details: { live, rebuilt, state },
  });
}

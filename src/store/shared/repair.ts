/** Restores what migrations made, from their own text, and compares what they make with what there is. */
import { EvstoreError } from '../../domain/errors.js';
import type { MigrationFile } from './migrations.js';

/** A table, and a column, a constraint or an index of it as text. */
export type ShapeLine = readonly [table: string, text: string];

/** Returns the statements of all migrations that this pattern matches. */
export function findStatements(files: readonly MigrationFile[], pattern: RegExp): readonly string[] {
  return files.flatMap((file) => file.readText().match(pattern) ?? []);
}

/**
 * Compares the tables with those that the migrations make. What a person added is left alone.
 * @throws E_UNSAFE_STORE naming what is missing or different
 */
export function assertSameShape(made: readonly ShapeLine[], found: readonly ShapeLine[]): void {
  const there = new Set(found.map((line) => line.join(' ')));
  const missing = made.filter((line) => !there.has(line.join(' ')));
  if (missing.length === 0) return;
  const named = missing.slice(0, 5).map(([table, text]) => `${table}: ${text}`);
  const more = missing.length > named.length ? `; and ${missing.length - named.length} more` : '';
  throw new EvstoreError('E_UNSAFE_STORE', 'the tables are not those that the migrations make', {
    why: `Missing or different: ${named.join('; ')}${more}. Nothing was changed. Restore them, or export the events and import them into a new store.`,
    next: 'evstore export --help',
    details: { missing: missing.map(([table, text]) => ({ table, text })) },
  });
}

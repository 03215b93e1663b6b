/** Tables that are named as those of a rebuild, and that belong to none. */
import type { Finding } from '../domain/finding.js';
import { formatBytes } from '../domain/numbers.js';
import type { DerivedTable, Rebuild } from '../store/store.js';
import { defineCheck } from './check.js';

export const orphansCheck = defineCheck({
  name: 'orphaned tables',
  purpose: 'every table that is named as those of a rebuild belongs to one',
  needs: ['derivedTables', 'rebuilds'],
  judge: ({ derivedTables, rebuilds }) => derivedTables.flatMap((table) => judgeTable(table, rebuilds)),
});

/** Nothing advises dropping it: evstore only knows its name. */
function judgeTable({ table, bytes }: DerivedTable, rebuilds: readonly Rebuild[]): readonly Finding[] {
  const named = rebuilds.filter(({ tables }) => tables.some(({ built, old }) => table === built || table === old));
  if (named.some(({ state }) => state !== 'aborted' && state !== 'retired')) return [];
  const size = bytes === null ? '' : `, takes ${formatBytes(bytes)}`;
  const [ended] = named;
  const evidence =
    ended === undefined
      ? 'the journal has no rebuild of that name, so evstore may not have made it'
      : `rebuild ${ended.id} of ${ended.projection}, which is ${ended.state}, had a table of that name; evstore cannot tell whether it is this one`;
  const detail = `is named as a table of a rebuild${size}, and belongs to none: evstore leaves it as it is`;
  return [{ kind: 'orphaned-table', severity: 'note', subject: table, detail, evidence, next: null }];
}

/** Decides what a rebuild does, from facts, before anything is written. */

import { type CodeState, compareCode } from '../../domain/code-identity.js';
import { EvstoreError } from '../../domain/errors.js';
import { checkStatementNames, deriveName, nameRebuildTables, namesTaken, nameTarget } from '../../domain/names.js';
import { groupDigits } from '../../domain/numbers.js';
import { assertSamePlace } from '../../lease/registration.js';
import type { NotOwned, ProjectionRecord, Rebuild, RebuildState, RebuildTable, TableFacts } from '../../store/store.js';
import type { PreparedProjection } from '../define/prepare.js';
import { describeMaker } from '../journal/find.js';
import { refuseNotOwned } from '../journal/owned.js';

/** What is known about a projection and its tables. */
export interface RebuildFacts {
  readonly projection: Pick<PreparedProjection, 'name' | 'version' | 'codeHash' | 'tables' | 'filter' | 'model'>;
  /** Undefined for a projection the store does not know yet. */
  readonly record: ProjectionRecord | undefined;
  /** Of the live tables; undefined without a checkpoint. */
  readonly livePosition: number | undefined;
  readonly head: number;
  readonly safeHead: number;
  /** The rebuild that is planned, filling or ready. */
  readonly unfinished: Rebuild | undefined;
  /** Number of the newest rebuild of any projection; 0 before the first. */
  readonly lastRebuild: number;
  /** Of the live tables. */
  readonly tables: readonly TableFacts[];
  /** Names that a new rebuild needs, and something else has. */
  readonly taken: readonly string[];
  /** What the swap changes, and this account does not own. */
  readonly notOwned: readonly NotOwned[];
}

/** `auto` resumes an unfinished build of the same code. */
export type RebuildMode = 'auto' | 'resume' | 'restart';

export interface RebuildPlanned {
  readonly projection: string;
  readonly action: 'start' | 'resume' | 'restart';
  /** The rebuild that is resumed, and how far it is; null for a new one. */
  readonly resumes: { readonly rebuild: number; readonly state: RebuildState; readonly position: number } | null;
  /** Null for a projection the store does not know yet. */
  readonly fromVersion: number | null;
  readonly toVersion: number;
  /** How the code compares with the code that made the live rows; null without live rows. */
  readonly code: CodeState | null;
  readonly tables: readonly TableFacts[];
  /** What is live outside the store's database; null for tables, and for a projection the store does not know yet. */
  readonly liveTarget: string | null;
  /** What it makes outside the store's database; null for tables. */
  readonly builtTarget: string | null;
  /** The tables it makes; those of a new rebuild have the next free number in their names. */
  readonly names: readonly RebuildTable[];
  /** Event types read, or every type. */
  readonly types: readonly string[] | 'all';
  readonly category: string | null;
  /** Null without a live table. */
  readonly livePosition: number | null;
  /** Into how many parts the work is divided; 1 unless it is divided. */
  readonly parts: number;
  /** Where the fill begins; above 0 when a build is resumed. */
  readonly from: number;
  /** Where the first fill ends: the live position, or the safe head without one. */
  readonly target: number;
}

/**
 * @throws E_LOCK_HELD for an unfinished build of other code, naming both ways to continue
 * @throws E_DIVERGED for an unfinished build beyond the end of the log
 * @throws E_NOT_FOUND for `resume` with nothing to resume
 * @throws E_UNSAFE_STORE naming what a swap could not carry over
 * @throws E_PERMISSION naming what the swap changes and this account does not own
 * @throws E_INVALID_INPUT for a name that would be too long
 * @throws E_FOREIGN_TABLE when something else has a name it needs
 */
export function planRebuild(facts: RebuildFacts, mode: RebuildMode): RebuildPlanned {
  const { projection, record, livePosition, safeHead, unfinished, tables } = facts;
  const { name, version, filter } = projection;
  const action = decideAction(facts, mode);
  if (record !== undefined) assertSamePlace(record, projection);
  assertSameTables(facts);
  assertNothingBlocks(name, tables);
  refuseNotOwned(`the rebuild of ${name}`, facts.notOwned);
  const resumed = action === 'resume' ? unfinished : undefined;
  if (resumed === undefined && facts.taken.length > 0) {
    throw namesTaken(`the rebuild of ${name}`, facts.taken, `evstore rebuild ${name}`);
  }
  return {
    projection: name,
    action,
    resumes: resumed === undefined ? null : { rebuild: resumed.id, state: resumed.state, position: resumed.position },
    fromVersion: record?.version ?? null,
    toVersion: version,
    code: record === undefined ? null : compareCode(record, projection),
    tables,
    liveTarget: record?.target ?? null,
    builtTarget: resumed?.target ?? planTarget(facts),
    names: resumed?.tables ?? planTables(facts),
    types: filter.types ?? 'all',
    category: filter.category ?? null,
    livePosition: livePosition ?? null,
    parts: record?.parts ?? 1,
    from: resumed?.position ?? 0,
    target: Math.min(safeHead, livePosition || safeHead),
  };
}

function decideAction({ projection, unfinished, head }: RebuildFacts, mode: RebuildMode): RebuildPlanned['action'] {
  const { name } = projection;
  if (unfinished === undefined) {
    if (mode !== 'resume') return 'start';
    throw new EvstoreError('E_NOT_FOUND', `no unfinished rebuild of ${name}`, {
      why: 'There is nothing to resume.',
      next: `evstore rebuild ${name}`,
    });
  }
  if (mode === 'restart') return 'restart';
  if (unfinished.position > head) {
    throw new EvstoreError(
      'E_DIVERGED',
      `the unfinished rebuild of ${name} was built from a different history than this log`,
      {
        why: `It is at position ${groupDigits(unfinished.position)}, but the log ends at ${groupDigits(head)}.`,
        next: `evstore rebuild ${name} --restart`,
      },
    );
  }
  const code = compareCode(unfinished, projection);
  if (code === 'current') return 'resume';
  const began = `${code === 'unverified' ? 'this code may not have begun' : 'other code began'} the unfinished rebuild`;
  throw new EvstoreError('E_LOCK_HELD', `${began} of ${name}`, {
    why:
      `${describeMaker(unfinished, projection, code)}. It is at position ${groupDigits(unfinished.position)}. ` +
      `Restart it with this code, or drop it with: evstore abort ${name}.`,
    next: `evstore rebuild ${name} --restart`,
    details: { rebuild: unfinished.id, version: unfinished.version, state: unfinished.state },
  });
}

function planTarget({ projection: { name, version, model }, lastRebuild }: RebuildFacts): string | null {
  return model.kind === 'external' ? nameTarget(name, version, lastRebuild + 1) : null;
}

/** Lists the names that the next rebuild gives to tables and indexes. */
export function namesOfNext(
  { tables, version, model }: RebuildFacts['projection'],
  lastRebuild: number,
): readonly string[] {
  const indexes = model.kind === 'table' ? model.spec.indexes.map((_, index) => `_idx${index + 1}`) : [];
  return tables.flatMap((table) => {
    const { built, old } = nameRebuildTables(table, version, lastRebuild + 1);
    const parts = model.kind === 'table' ? ['_pkey', ...indexes] : [];
    return [built, old].flatMap((name) => [name, ...parts.map((part) => deriveName(name, part))]);
  });
}

/** Checks the names here, before the live tables of a new projection are made. */
function planTables({ projection, lastRebuild }: RebuildFacts): readonly RebuildTable[] {
  const { model, tables, version } = projection;
  const names = tables.map((table) => nameRebuildTables(table, version, lastRebuild + 1));
  if (model.kind === 'sql') {
    checkStatementNames(model.create((name) => names.find(({ live }) => live === name)?.built ?? name));
  }
  return names;
}

/** A table that the new code no longer has would be left behind without an owner. */
function assertSameTables({ projection, record }: RebuildFacts): void {
  const dropped = record?.tables.filter((table) => !projection.tables.includes(table)) ?? [];
  if (dropped.length === 0) return;
  throw new EvstoreError('E_CONFIG', `projection ${projection.name} no longer has the table ${dropped.join(', ')}`, {
    why: 'A swap replaces tables by tables of the same names. Give a projection with other tables another name.',
  });
}

function assertNothingBlocks(projection: string, tables: readonly TableFacts[]): void {
  const blocked = tables.filter(({ blocking }) => blocking.length > 0);
  if (blocked.length === 0) return;
  const names = blocked.flatMap(({ table, blocking }) =>
    blocking.map(({ kind, name }) => `${kind} ${name} on ${table}`),
  );
  throw new EvstoreError('E_UNSAFE_STORE', `a swap of ${projection} would lose ${names.join(', ')}`, {
    why: 'A swap cannot carry this over to the new table. Drop it before the rebuild and create it again afterwards.',
    details: { blocking: names },
  });
}

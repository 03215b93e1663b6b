/** Forgetting and renaming a projection: what keeps evstore from it, and which names its tables get. */
import { EvstoreError } from '../../domain/errors.js';
import type { PartStanding } from '../../domain/standing.js';
import type { ProjectionRecord, ProjectionRename, Rebuild } from '../store.js';

/**
 * @throws E_LOCK_HELD naming the process that works on the projection or on one of its rebuilds, or the unfinished rebuild
 */
export function assertIdle(
  projection: string,
  standings: readonly Pick<PartStanding, 'subscriptionId' | 'owner'>[],
  rebuilds: readonly Rebuild[],
): void {
  const running = standings.find(({ owner }) => owner !== null);
  if (running !== undefined) {
    throw new EvstoreError('E_LOCK_HELD', `${running.owner} is running ${running.subscriptionId}`, {
      why: 'Stop it first. Nothing was changed.',
      next: 'evstore lag',
      details: { owner: running.owner },
    });
  }
  const unfinished = rebuilds.find(({ state }) => state === 'planned' || state === 'filling' || state === 'ready');
  if (unfinished !== undefined) {
    throw new EvstoreError(
      'E_LOCK_HELD',
      `rebuild ${unfinished.id} of ${projection} is unfinished (${unfinished.state})`,
      {
        why: 'Swap it in or drop it first. Nothing was changed.',
        next: `evstore abort ${projection}`,
        details: { rebuild: unfinished.id },
      },
    );
  }
  const held = rebuilds.find(({ owner, state }) => owner !== null && state === 'swapped');
  if (held === undefined) return;
  throw new EvstoreError('E_LOCK_HELD', `${held.owner} is working on rebuild ${held.id} of ${projection}`, {
    why: 'Wait until it ends. Nothing was changed.',
    next: 'evstore projections',
    details: { rebuild: held.id, owner: held.owner },
  });
}

/** @throws E_INVALID_INPUT when the store has a projection or a checkpoint of the new name */
export function assertUnused(to: string, records: readonly ProjectionRecord[], checkpoints: readonly string[]): void {
  if (records.some(({ name }) => name === to)) {
    throw new EvstoreError('E_INVALID_INPUT', `there is a projection ${to} already`, {
      why: 'It has run under that name, so it has tables of its own. Forget one of the two. Nothing was changed.',
      next: 'evstore projections',
    });
  }
  if (!checkpoints.some((id) => id === to || id.startsWith(`${to}#`))) return;
  throw new EvstoreError('E_INVALID_INPUT', `there is a checkpoint ${to} already`, {
    why: 'Another subscription may use it. Nothing was changed.',
    next: `evstore checkpoints delete ${to}`,
  });
}

/** @param dependents sentences @param next the command to repeat */
export function dependsOn(dependents: readonly string[], next: string, cause?: unknown): EvstoreError {
  return new EvstoreError('E_UNSAFE_STORE', 'something else depends on a table that would be dropped', {
    why: `Drop it first: ${dependents.join(', ')}. Nothing has been changed.`,
    next,
    details: { dependents },
    cause,
  });
}

/** Returns the tables of a projection after a rename, in their order. */
export function renamedTables(tables: readonly string[], { tables: renamed }: ProjectionRename): readonly string[] {
  return tables.map((table) => renamed[table] ?? table);
}

/** @param records all there are @returns the error for a table that exists and that a new projection wants */
export function ownedReadModel(
  table: string,
  projection: string,
  records: readonly ProjectionRecord[],
): EvstoreError | undefined {
  const owner = records.find(({ tables }) => tables.includes(table));
  if (owner === undefined) return undefined;
  return new EvstoreError('E_FOREIGN_TABLE', `table ${table} belongs to the projection ${owner.name}`, {
    why: `If ${projection} is that projection under a new name, rename it in the store too. Otherwise give its table another name.`,
    next: `evstore projections rename ${owner.name} ${projection}`,
    details: { table, projection: owner.name },
  });
}

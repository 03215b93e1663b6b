/** The checkpoints of a divided projection: their rows and errors. */
import { EvstoreError } from '../../domain/errors.js';
import { subscriptionIdsOf } from '../../domain/parts.js';
import type { PartStanding, Standing } from '../../domain/standing.js';
import { toOwner } from './leases.js';
import { type RawRow, toInteger, toOptional, toText } from './rows.js';

/** Columns as in lock-checkpoint.sql. */
export function toStanding(row: RawRow): Standing {
  return {
    position: toInteger(row[0]),
    lastEventId: toOptional(row[1], toText),
    audit: toOptional(row[2], toText),
  };
}

/** Columns as in lock-parts.sql. */
export function toPartStanding(row: RawRow): PartStanding {
  return {
    subscriptionId: toText(row[0]),
    ...toStanding(row.slice(1)),
    generation: toInteger(row[4]),
    owner: toOwner(row[5], row[8]),
  };
}

/** Returns the first checkpoint of the projection that is not among those found. */
export function findMissingPart(projection: string, parts: number, found: readonly string[]): string | undefined {
  return subscriptionIdsOf(projection, parts).find((id) => !found.includes(id));
}

/** @param deleted undefined when all are there now: those that were locked belonged to an earlier division */
export function incompleteParts(projection: string, deleted: string | undefined): EvstoreError {
  if (deleted === undefined) {
    return new EvstoreError('E_SUPERSEDED', `another process changed the number of parts of ${projection}`, {
      next: 'evstore projections',
    });
  }
  return new EvstoreError('E_NOT_FOUND', `there is no checkpoint ${deleted}`, {
    why: 'It was deleted, so it is unknown which events are in its rows.',
    next: `evstore rebuild ${projection}`,
  });
}

export function noProjection(projection: string): EvstoreError {
  return new EvstoreError('E_NOT_FOUND', `there is no projection ${projection}`, { next: 'evstore projections' });
}

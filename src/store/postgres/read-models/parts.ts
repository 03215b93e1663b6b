/** The checkpoints of a projection whose work is divided: one for each part. */
import { subscriptionIdsOf } from '../../../domain/parts.js';
import { assertDivisible, type JoinedStanding, joinStandings } from '../../../domain/standing.js';
import { fence, superseded } from '../../shared/leases.js';
import { findMissingPart, incompleteParts, noProjection, toPartStanding, toStanding } from '../../shared/parts.js';
import { toInteger, toText } from '../../shared/rows.js';
import type { Lease } from '../../store.js';
import type { Database, Session } from '../connection/database.js';

export function divide(database: Database, projection: string, parts: number): Promise<void> {
  return database.transaction(async (session) => {
    const rows = await session.ask('lock-parts', [projection]);
    const [row] = await session.ask('lock-projection', [projection]);
    if (row === undefined) throw noProjection(projection);
    const before = toInteger(row[0]);
    if (before === parts) return;
    const standings = rows.map(toPartStanding);
    const ids = standings.map(({ subscriptionId }) => subscriptionId);
    if (findMissingPart(projection, before, ids) !== undefined) {
      const now = (await session.ask('checkpoints')).map(([id]) => toText(id));
      throw incompleteParts(projection, findMissingPart(projection, before, now));
    }
    assertDivisible(projection, standings);
    const { furthest, lastEventId, audit } = joinStandings(standings);
    const generation = 1 + Math.max(...standings.map((standing) => standing.generation));
    const [, , , , , , version = null, hash = null] = rows[0] ?? [];
    for (const id of ids) await session.ask('delete-checkpoint', [id, null]);
    await session.ask('set-parts', [projection, parts]);
    for (const id of subscriptionIdsOf(projection, parts)) {
      await session.ask('start-part', [id, furthest, lastEventId, audit, generation, version, hash]);
    }
  });
}

/**
 * Locks the checkpoint of a projection, or those of all its parts.
 * @param session in a transaction
 * @throws E_SUPERSEDED when the lease is not on all of them any more
 */
export async function lockCheckpoint(session: Session, lease: Lease): Promise<JoinedStanding> {
  const rows = await session.ask('lock-checkpoint', fence(lease));
  if (rows.length === 0 || rows.length !== toInteger(rows[0]?.[3])) throw superseded(lease);
  return joinStandings(rows.map(toStanding));
}

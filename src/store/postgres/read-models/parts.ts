/** The checkpoints of a projection whose work is divided: one for each part. */
import { EvstoreError } from '../../../domain/errors.js';
import { subscriptionIdsOf } from '../../../domain/parts.js';
import { assertDivisible, type JoinedStanding, joinStandings, type PartStanding } from '../../../domain/standing.js';
import type { SqlFolder } from '../../shared/sql.js';
import type { Lease } from '../../store.js';
import type { Database, RawRow, Session } from '../connection/database.js';
import { toInteger, toText } from '../connection/rows.js';
import { fence, superseded } from './leases.js';

export function divide(database: Database, sql: SqlFolder, projection: string, parts: number): Promise<void> {
  return database.transaction(async (session) => {
    const rows = await session.query(sql('lock-parts'), [projection]);
    const [row] = await session.query(sql('lock-projection'), [projection]);
    if (row === undefined) throw noProjection(projection);
    const before = toInteger(row[0]);
    if (before === parts) return;
    const standings = rows.map(toPartStanding);
    if (missing(projection, before, standings) !== undefined) {
      const now = (await session.query(sql('checkpoints'))).map(([id]) => ({ subscriptionId: toText(id) }));
      throw incomplete(projection, missing(projection, before, now));
    }
    assertDivisible(projection, standings);
    const { furthest, lastEventId, audit } = joinStandings(standings);
    const generation = 1 + Math.max(...standings.map((standing) => standing.generation));
    const [, , , , , , version = null, hash = null] = rows[0] ?? [];
    const code = [version, hash];
    for (const { subscriptionId } of standings) await session.query(sql('delete-checkpoint'), [subscriptionId]);
    await session.query(sql('set-parts'), [projection, parts]);
    for (const id of subscriptionIdsOf(projection, parts)) {
      await session.query(sql('start-part'), [id, furthest, lastEventId, audit, generation, ...code]);
    }
  });
}

/**
 * The checkpoint of a projection, or those of all its parts.
 * @param session in a transaction
 * @throws E_SUPERSEDED when the lease is not on all of them any more
 */
export async function lockCheckpoint(session: Session, sql: SqlFolder, lease: Lease): Promise<JoinedStanding> {
  const rows = await session.query(sql('lock-checkpoint'), fence(lease));
  if (rows.length === 0 || rows.length !== toInteger(rows[0]?.[3])) throw superseded(lease);
  return joinStandings(
    rows.map(([position, lastEventId = null, audit = null]) => ({ position: toInteger(position), lastEventId, audit })),
  );
}

function toPartStanding(row: RawRow): PartStanding {
  return {
    subscriptionId: toText(row[0]),
    position: toInteger(row[1]),
    lastEventId: row[2] ?? null,
    audit: row[3] ?? null,
    generation: toInteger(row[4]),
    owner: row[5] ?? null,
  };
}

/** The checkpoint that is not there. */
function missing(
  projection: string,
  parts: number,
  found: readonly { readonly subscriptionId: string }[],
): string | undefined {
  const ids = new Set(found.map(({ subscriptionId }) => subscriptionId));
  return subscriptionIdsOf(projection, parts).find((id) => !ids.has(id));
}

/** Those that were locked may be of before another division: then the next attempt finds others. */
function incomplete(projection: string, deleted: string | undefined): EvstoreError {
  if (deleted === undefined) return new EvstoreError('E_SUPERSEDED', `${projection} was divided by another process`);
  return new EvstoreError('E_NOT_FOUND', `there is no checkpoint ${deleted}`, {
    why: 'It was deleted, so nobody knows which events are in its rows.',
    next: `evstore rebuild ${projection}`,
  });
}

function noProjection(projection: string): EvstoreError {
  return new EvstoreError('E_NOT_FOUND', `there is no projection ${projection}`, { next: 'evstore projections' });
}

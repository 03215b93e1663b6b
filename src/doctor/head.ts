/** Finds where the log ends, and what keeps readers below that. */
import type { Holder } from '../domain/event.js';
import type { Finding } from '../domain/finding.js';
import { count } from '../domain/words.js';
import type { Diagnosis, EventLog } from '../store/store.js';

/** An append takes milliseconds: a transaction that is open longer was probably forgotten. */
const patienceMs = 10_000;

export async function examineHead(log: EventLog): Promise<Diagnosis> {
  const { head, safeHead, heldBackBy } = await log.head({ holder: true });
  const facts = [
    { name: 'head', value: String(head) },
    { name: 'safe head', value: String(safeHead) },
  ];
  return { facts, findings: heldBackBy === null ? [] : [toFinding(heldBackBy, head - safeHead)] };
}

function toFinding({ pid, gid, application, state, ageMs }: Holder, positions: number): Finding {
  const subject = pid === null ? `prepared transaction ${gid}` : `process ${pid}`;
  const seconds = ageMs === null ? 'an unknown time' : `${Math.round(ageMs / 1000)} s`;
  return {
    kind: 'held-back',
    severity: pid === null || (ageMs ?? 0) > patienceMs ? 'warning' : 'note',
    subject,
    detail: `keeps readers ${count(positions, 'position')} below the head (${application || 'no name'}, ${state ?? 'unknown state'}, for ${seconds})`,
    next:
      pid === null
        ? "psql -c 'table pg_prepared_xacts'"
        : `psql -c 'select * from pg_stat_activity where pid = ${pid}'`,
  };
}

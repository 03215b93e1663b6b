/** Readers that are held below the head by a transaction that has appended and is still open. */

import { formatDuration } from '../domain/duration.js';
import type { Head } from '../domain/event.js';
import type { Finding } from '../domain/finding.js';
import { groupDigits } from '../domain/numbers.js';
import { defineCheck } from './check.js';

/** Every append in progress holds readers for some milliseconds: that is silent. */
const silentMs = 1_000;
/** An append takes milliseconds: a transaction that is open for this long was probably forgotten. */
const patienceMs = 10_000;

export const heldBackCheck = defineCheck({
  name: 'safe head',
  purpose: 'no open transaction holds readers back',
  engine: 'postgres',
  needs: ['head'],
  judge: ({ head }) => judgeHead(head),
});

export function judgeHead(head: Head): readonly Finding[] {
  const { heldBackBy } = head;
  if (heldBackBy === null || !isHeld(head)) return [];
  const { pid, ageMs } = heldBackBy;
  const isForgotten = (ageMs ?? patienceMs) >= patienceMs;
  const finding = describeHeld(head);
  const next = pid === null ? "psql -c 'table pg_prepared_xacts'" : `psql -c 'select pg_terminate_backend(${pid})'`;
  return [{ ...finding, severity: isForgotten ? 'warning' : 'note', next: isForgotten ? next : null }];
}

/** Returns true when readers have been held for longer than an append takes. Unknown ages count as long. */
export function isHeld({ heldBackBy }: Head): boolean {
  return heldBackBy !== null && (heldBackBy.ageMs ?? patienceMs) >= silentMs;
}

/** `readers held at 3 of 9 for 20 s by process 42 (app)`. */
export function describeHeld({ head, safeHead, heldBackBy }: Head): Finding {
  const { pid = null, gid = null, application = null, state = null, ageMs = null } = heldBackBy ?? {};
  const who = pid === null ? `prepared transaction ${gid}` : `process ${pid}`;
  const age = ageMs === null ? '' : ` for ${formatDuration(ageMs)}`;
  return {
    kind: 'held-back',
    severity: 'error',
    subject: 'readers',
    detail: `held at ${groupDigits(safeHead)} of ${groupDigits(head)}${age} by ${who}${application ? ` (${application})` : ''}`,
    ...(state !== null && { evidence: `its transaction is open, in state: ${state}` }),
    next: null,
  };
}

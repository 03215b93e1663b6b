/** What the order and the immutability of the log depend on. */
import type { Finding } from '../domain/finding.js';
import type { BrokenGuard } from '../store/store.js';
import { defineCheck } from './check.js';

export const guardsCheck = defineCheck({
  name: 'guards',
  purpose: 'the database keeps the order of the log and refuses changes',
  needs: ['guards'],
  judge: ({ guards }) => judgeGuards(guards),
});

function judgeGuards(guards: readonly BrokenGuard[]): readonly Finding[] {
  // It explains the others, and nothing is broken.
  if (guards.some(({ isStandby }) => isStandby === true)) return [standby];
  return guards.map(({ detail, fixable, next }) => ({
    kind: 'broken-guard',
    severity: 'error',
    subject: 'store',
    detail,
    next: fixable === null ? (next ?? null) : `evstore doctor --fix ${fixable}`,
  }));
}

const standby: Finding = {
  kind: 'standby',
  severity: 'note',
  subject: 'server',
  detail:
    'this is a standby; only the primary knows which positions are still open, so what reads the log in order (tail, run, lag, read without a stream) and what writes works there alone',
  next: null,
};

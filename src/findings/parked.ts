/** Events that a read model lacks. */
import type { Finding } from '../domain/finding.js';
import { shellWord } from '../domain/shell-word.js';
import { isProjectionId } from '../domain/subscription-names.js';
import { count } from '../domain/words.js';
import type { ParkedCount } from '../store/store.js';
import { defineCheck } from './check.js';

export const parkedCheck = defineCheck({
  name: 'parked events',
  purpose: 'no read model lacks an event',
  needs: ['parked'],
  judge: ({ parked }) => parked.map(judgeParked),
});

function judgeParked({ projection, events }: ParkedCount): Finding {
  return {
    kind: 'parked-events',
    severity: 'warning',
    subject: projection,
    detail: `has ${count(events, 'parked event')}: ${isProjectionId(projection) ? 'its rows lack them' : 'they have no effect'} until they are retried`,
    next: `evstore parked list ${shellWord(projection)}`,
  };
}

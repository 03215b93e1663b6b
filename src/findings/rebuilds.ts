/** Rebuilds that stopped half-way, and tables that are kept for longer than was asked. */
import type { Finding } from '../domain/finding.js';
import { shellWord } from '../domain/shell-word.js';
import { showInstant } from '../domain/timestamp.js';
import { isUnfinished } from '../store/rebuild-state.js';
import type { Rebuild } from '../store/store.js';
import { defineCheck } from './check.js';

export const rebuildsCheck = defineCheck({
  name: 'rebuilds',
  purpose: 'no rebuild waits for a person, and no old tables are left over',
  needs: ['rebuilds'],
  judge: ({ rebuilds }, now) => rebuilds.flatMap((rebuild) => judgeRebuild(rebuild, now)),
});

function judgeRebuild(rebuild: Rebuild, now: Date): readonly Finding[] {
  const { id, projection, state, owner, keepOldUntil, version } = rebuild;
  const subject = `rebuild ${id} of ${projection}`;
  if (isUnfinished(rebuild) && owner === null) {
    const isReady = state === 'ready';
    const detail = isReady
      ? `is ready, and version ${version} is not swapped in yet`
      : `is ${state}, and no process is working on it`;
    const next = isReady
      ? `evstore swap ${shellWord(projection)}`
      : `evstore rebuild ${shellWord(projection)} --resume`;
    return [{ kind: 'unfinished-rebuild', severity: 'warning', subject, detail, next }];
  }
  if (state === 'swapped' && keepOldUntil !== null && Date.parse(keepOldUntil) < now.getTime()) {
    const detail = `kept the old tables until ${showInstant(keepOldUntil)}`;
    return [{ kind: 'kept-tables', severity: 'note', subject, detail, next: 'evstore gc' }];
  }
  return [];
}

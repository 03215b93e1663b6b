/** Finds checkpoints and rebuilds that need attention. */

import { mayWrite } from '../domain/code-identity.js';
import type { Finding } from '../domain/finding.js';
import { partOf } from '../domain/parts.js';
import { shellWord } from '../domain/shell-word.js';
import { count } from '../domain/words.js';
import { isUnfinished } from '../store/rebuild-state.js';
import type { Checkpoint, Diagnosis, ParkedCount, ProjectionRecord, Rebuild, Store } from '../store/store.js';

/** A subscription that is behind and has not moved for this long counts as abandoned. */
const abandonedMs = 24 * 60 * 60 * 1000;

export async function examineSubscriptions({ projections, log }: Store, now: Date): Promise<Diagnosis> {
  const [records, checkpoints, rebuilds, parked] = [
    await projections.list(),
    await projections.checkpoints(),
    await projections.rebuilds(),
    await projections.countParked(),
  ];
  const { safeHead } = await log.head();
  const known = new Set(records.map(({ name }) => name));
  const foreign = checkpoints.filter(({ subscriptionId }) => !known.has(partOf(subscriptionId).projection));
  return {
    facts: [
      { name: 'projections', value: String(records.filter(({ tables }) => tables.length > 0).length) },
      { name: 'other subscriptions', value: String(foreign.length) },
    ],
    findings: [
      ...foreign.map((checkpoint) => judgeForeign(checkpoint, safeHead, now)),
      ...checkpoints.flatMap(judgeStopped),
      ...checkpoints.flatMap((checkpoint) => judgeCode(checkpoint, records)),
      ...checkpoints.flatMap((checkpoint) => judgeRest(checkpoint, records)),
      ...parked.map(judgeParked),
      ...rebuilds.flatMap((rebuild) => judgeRebuild(rebuild, now)),
    ],
  };
}

function judgeForeign({ subscriptionId, position, updatedAt }: Checkpoint, safeHead: number, now: Date): Finding {
  const isAbandoned = position < safeHead && now.getTime() - Date.parse(updatedAt) > abandonedMs;
  return {
    kind: 'foreign-checkpoint',
    severity: isAbandoned ? 'warning' : 'note',
    subject: subscriptionId,
    detail: isAbandoned
      ? `belongs to no projection, and is at position ${position} of ${safeHead} since ${updatedAt}`
      : 'belongs to no projection: another program stores its position here',
    next: isAbandoned ? `evstore checkpoints delete ${shellWord(subscriptionId)}` : null,
  };
}

function judgeStopped({ subscriptionId, position, lastError }: Checkpoint): readonly Finding[] {
  if (lastError === null) return [];
  const detail = `stopped at position ${position}: ${lastError}`;
  const { projection, part } = partOf(subscriptionId);
  const share = part.of === 1 ? '' : ` --partition ${part.index}/${part.of}`;
  const next = `evstore run ${shellWord(projection)}${share}`;
  return [{ kind: 'stopped', severity: 'warning', subject: subscriptionId, detail, next }];
}

/** A rebuild is due. Code older than the rows belongs to an old deployment. */
function judgeCode({ subscriptionId, code }: Checkpoint, records: readonly ProjectionRecord[]): readonly Finding[] {
  const record = records.find(({ name }) => name === subscriptionId);
  if (record === undefined || code === null || code.version < record.version || mayWrite(record, code)) return [];
  const other = record.version === code.version ? 'another definition' : `version ${code.version}`;
  const inline = record.mode === 'inline' ? '; appends of a program with that code leave the rows to a runner' : '';
  const detail = `has rows of version ${record.version}, and the code that last asked to run it has ${other}${inline}`;
  const next = `evstore rebuild ${shellWord(subscriptionId)}`;
  return [{ kind: 'stale-code', severity: 'warning', subject: subscriptionId, detail, next }];
}

/** Usual for a moment. When the process that swaps has died, it lasts as long as its lease. */
function judgeRest({ subscriptionId, owner }: Checkpoint, records: readonly ProjectionRecord[]): readonly Finding[] {
  const record = records.find(({ name }) => name === subscriptionId);
  if (record === undefined || record.mode !== 'inline' || !record.inlineRests) return [];
  const detail = `is being swapped by ${owner}: appends leave its rows to the runner until its lease ends, at most 10 s after it stops`;
  return [
    {
      kind: 'inline-rests',
      severity: 'note',
      subject: subscriptionId,
      detail,
      next: `evstore lag ${shellWord(subscriptionId)}`,
    },
  ];
}

function judgeParked({ projection, events }: ParkedCount): Finding {
  const detail = `has ${count(events, 'parked event')}`;
  const next = `evstore parked list ${shellWord(projection)}`;
  return { kind: 'parked-events', severity: 'warning', subject: projection, detail, next };
}

function judgeRebuild(rebuild: Rebuild, now: Date): readonly Finding[] {
  const { id, projection, state, owner, keepOldUntil } = rebuild;
  const subject = `rebuild ${id} of ${projection}`;
  if (isUnfinished(rebuild) && owner === null) {
    const detail = `is ${state}, and no process is working on it`;
    const next = `evstore rebuild ${shellWord(projection)} --resume`;
    return [{ kind: 'unfinished-rebuild', severity: 'warning', subject, detail, next }];
  }
  if (state === 'swapped' && keepOldUntil !== null && Date.parse(keepOldUntil) < now.getTime()) {
    const detail = `kept the old tables until ${keepOldUntil}`;
    return [{ kind: 'kept-tables', severity: 'note', subject, detail, next: 'evstore gc' }];
  }
  return [];
}

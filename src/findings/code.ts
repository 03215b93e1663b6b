/** Rows that older code made. */

import { mayWrite } from '../domain/code-identity.js';
import type { Finding } from '../domain/finding.js';
import { partOf } from '../domain/parts.js';
import { shellWord } from '../domain/shell-word.js';
import type { Checkpoint, ProjectionRecord } from '../store/store.js';
import { defineCheck } from './check.js';

export const codeCheck = defineCheck({
  name: 'code',
  purpose: 'rows are of the version that the code has, and appends write inline rows',
  needs: ['checkpoints', 'records'],
  judge: ({ checkpoints, records }) => records.flatMap((record) => judgeCode(record, checkpoints)),
});

/** A rebuild is due. Code older than the rows belongs to an old deployment. The parts of a projection run the same code. */
function judgeCode(record: ProjectionRecord, checkpoints: readonly Checkpoint[]): readonly Finding[] {
  const { name, version, mode } = record;
  const own = checkpoints.filter(({ subscriptionId }) => partOf(subscriptionId).projection === name);
  const newer = own
    .flatMap(({ code }) => (code === null ? [] : [code]))
    .find((code) => code.version >= version && !mayWrite(record, code));
  if (newer === undefined) return [];
  const other = version === newer.version ? 'another definition' : `version ${newer.version}`;
  const found = `has rows of version ${version}, and the code that last asked to run it has ${other}`;
  const isInline = mode === 'inline';
  return [
    {
      kind: 'stale-code',
      severity: 'warning',
      subject: name,
      detail: isInline ? `${found}: appends of programs with that code leave its rows to a runner` : found,
      next: `evstore rebuild ${shellWord(name)}`,
    },
  ];
}

export const restCheck = defineCheck({
  name: 'inline rests',
  purpose: 'no swap keeps appends from writing inline rows',
  needs: ['checkpoints', 'records'],
  judge: ({ checkpoints, records }) => checkpoints.flatMap((checkpoint) => judgeRest(checkpoint, records)),
});

/** Usual for a moment. When the process that swaps has died, it lasts as long as its lease. */
function judgeRest({ subscriptionId, owner }: Checkpoint, records: readonly ProjectionRecord[]): readonly Finding[] {
  const record = records.find(({ name }) => name === subscriptionId);
  if (record === undefined || record.mode !== 'inline' || !record.inlineRests) return [];
  const detail = `is being swapped by ${owner}: appends leave its rows to the runner until its lease ends, at most 10 s after it stops`;
  return [{ kind: 'inline-rests', severity: 'note', subject: subscriptionId, detail, next: null }];
}

/** Two copies of evstore: the program that runs, and the library that the code of the project imports. */
import type { Copies } from '../domain/copies.js';
import type { Finding } from '../domain/finding.js';
import { shellWord } from '../domain/shell-word.js';
import { defineCheck } from './check.js';

export const copiesCheck = defineCheck({
  name: 'copies',
  purpose: 'the project has the same evstore as the program',
  needs: ['copies'],
  judge: ({ copies }) => judgeCopies(copies),
});

function judgeCopies({ program, project }: Copies): readonly Finding[] {
  if (project === null || project.version === program) return [];
  const detail = `is version ${program}, and the code of this project imports version ${project.version}: they may read the same store differently`;
  const next = `npm install evstore@${shellWord(program)}`;
  return [
    {
      kind: 'two-copies',
      severity: 'warning',
      subject: 'evstore',
      detail,
      evidence: `the code of this project imports ${project.folder}`,
      next,
    },
  ];
}

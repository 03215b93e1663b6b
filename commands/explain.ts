/** `evstore explain`: what an error means, why it happens and how to get out of it. Opens no store. */
import { type ErrorCode, EvstoreError } from '../src/domain/errors.js';
import { findSimilar } from '../src/domain/similar.js';
import { explain, renderExplanation } from '../src/output/explanation-text.js';
import { explanations } from '../src/output/explanations.js';
import type { Command } from './options/command.js';
import { type ListColumn, printList } from './support/print-list.js';
import { printReport } from './support/print-report.js';

export const command: Command = {
  usage: 'explain [code]',
  writes: 'nothing',
  examples: [
    { line: 'evstore explain E_VERSION_CONFLICT', purpose: 'explain the code at the end of an error' },
    { line: 'evstore explain', purpose: 'list the codes' },
  ],
  options: [],
  run: async ([given], _flags, context) => {
    const codes = Object.keys(explanations) as ErrorCode[];
    if (given === undefined) {
      const list = codes.map(explain);
      const isForPeople = context.format({ people: 'table', pipe: 'tsv' }) === 'table' && !context.quiet;
      if (!isForPeople) await printList(context, list, columns, { report: { codes: list }, nothing: 'no code' });
      else for (const { code, means } of list) await context.io.stdout.write(`${code}\n    ${means}\n`);
      return 0;
    }
    const code = findCode(given, codes);
    await printReport(context, explain(code), code, () => renderExplanation(code, context.theme.stdout));
    return 0;
  },
};

const columns: readonly ListColumn<ReturnType<typeof explain>>[] = [
  { heading: 'code', field: ({ code }) => code },
  { heading: 'exitCode', field: ({ exitCode }) => exitCode, align: 'right' },
  { heading: 'means', field: ({ means }) => means },
];

/** Takes `version_conflict`, too. */
function findCode(given: string, codes: readonly ErrorCode[]): ErrorCode {
  const spelled = given
    .toUpperCase()
    .replaceAll('-', '_')
    .replace(/^(?!E_)/, 'E_');
  const code = codes.find((each) => each === spelled);
  if (code !== undefined) return code;
  const meant = findSimilar(spelled, codes);
  throw new EvstoreError('E_NOT_FOUND', `no error has the code '${given}'`, {
    why: meant === undefined ? undefined : `Did you mean ${meant}?`,
    next: meant === undefined ? 'evstore explain' : `evstore explain ${meant}`,
    details: { known: codes },
  });
}

/** `evstore explain`: what an error means, why it happens and how to get out of it. Opens no store. */
import { type ErrorCode, EvstoreError } from '../src/domain/errors.js';
import { findSimilar } from '../src/domain/similar.js';
import { explain, renderExplanation } from '../src/output/explanation-text.js';
import { explanations } from '../src/output/explanations.js';
import type { Command } from './options/command.js';
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
      const width = Math.max(...codes.map((code) => code.length));
      const lines = codes.map((code) => `${code.padEnd(width)}  ${explanations[code].means}\n`);
      await printReport(context, { codes: codes.map(explain) }, codes.join('\n'), () => lines.join(''));
      return 0;
    }
    const code = findCode(given, codes);
    await printReport(context, explain(code), code, () => renderExplanation(code, context.theme.stdout));
    return 0;
  },
};

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

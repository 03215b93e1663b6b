/** Prints findings: text for people, TSV for pipes, one JSON document for programs; and fails on errors. */
import { EvstoreError } from '../../src/domain/errors.js';
import { type Finding, sortFindings } from '../../src/domain/finding.js';
import type { Context } from '../options/command.js';
import { type ListColumn, printList } from './print-list.js';

const columns: readonly ListColumn<Finding>[] = [
  { heading: 'severity', field: ({ severity }) => severity },
  { heading: 'kind', field: ({ kind }) => kind, isName: true },
  { heading: 'subject', field: ({ subject }) => subject },
  { heading: 'detail', field: ({ detail }) => detail },
  { heading: 'next', field: ({ next }) => next },
  { heading: 'evidence', field: ({ evidence }) => evidence ?? null },
];

/** The caller says on stderr what was looked at. @param report what `--json` prints */
export async function printFindings(context: Context, findings: readonly Finding[], report: unknown): Promise<void> {
  const format = context.format({ people: 'table', pipe: 'tsv' });
  if (format !== 'table' || context.quiet)
    return printList(context, sortFindings(findings), columns, { report, nothing: null });
  const shown = findings.map((each) => ({ ...each, next: each.next && context.completeCommand(each.next) }));
  const { renderFindings } = await import('../../src/output/finding-text.js');
  await context.io.stdout.write(renderFindings(shown, context.view));
}

/** @throws E_CHECK_FAILED when there is an error, or with `strict` a warning */
export function failOnFindings(
  findings: readonly Finding[],
  { strict, why }: { readonly strict: boolean; readonly why?: string },
): void {
  const errors = findings.filter(({ severity }) => severity === 'error');
  const warnings = findings.filter(({ severity }) => severity === 'warning');
  if (errors.length === 0 && (!strict || warnings.length === 0)) return;
  const [first] = [...errors, ...warnings];
  throw new EvstoreError('E_CHECK_FAILED', describeVerdict(findings), {
    why,
    next: first?.next ?? undefined,
    details: { errors: errors.length, warnings: warnings.length },
  });
}

/** `2 to fix, 1 to know`. */
export function describeVerdict(findings: readonly Finding[]): string {
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const others = findings.length - errors;
  if (findings.length === 0) return 'no problems found';
  return `${errors === 0 ? 'nothing' : errors} to fix${others === 0 ? '' : `, ${others} to know`}`;
}

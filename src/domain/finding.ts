/** What a check found: what is wrong, the evidence, and what to do about it. */
export interface Finding {
  /** Kebab-case, for programs: `missing-version`, `prepared-transaction` … */
  readonly kind: string;
  /** An `error` must be fixed: a promise of the store is broken, or work has stopped. A `warning` may need a person; a `note` is for information. */
  readonly severity: 'error' | 'warning' | 'note';
  /** What it is about: a stream, a subscription, the store … */
  readonly subject: string;
  /** One sentence without the subject, in lower case. */
  readonly detail: string;
  /** What shows it, on a line of its own: the error of a handler, the state of a process. */
  readonly evidence?: string;
  /** The command to run next, ready to paste; null when there is none. */
  readonly next: string | null;
}

const severities = ['error', 'warning', 'note'] as const;

/** Sorts errors before warnings before notes, each in their order. */
export function sortFindings(findings: readonly Finding[]): readonly Finding[] {
  return severities.flatMap((severity) => findings.filter((finding) => finding.severity === severity));
}

/** `order_summary stopped at position 3`: a finding as a sentence. */
export function describeFinding({ subject, detail }: Finding): string {
  return `${subject} ${detail}`;
}

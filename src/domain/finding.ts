/** What a check found: what is wrong, the evidence, and what to do about it. */
export interface Finding {
  /** Kebab-case, for programs: `missing-version`, `prepared-transaction` … */
  readonly kind: string;
  /** An `error` breaks a promise of the store; a `warning` may; a `note` is for information. */
  readonly severity: 'error' | 'warning' | 'note';
  /** What it is about: a stream, a subscription, the store … */
  readonly subject: string;
  /** One sentence without the subject, in lower case, with the evidence. */
  readonly detail: string;
  /** The command to run next, ready to paste; null when there is none. */
  readonly next: string | null;
}

/** Renders errors for people and for programs. Both are safe to print, because errors quote stores and drivers. */

import type { EvstoreError } from '../domain/errors.js';
import { sanitiseJson } from '../domain/safe-json.js';
import { sanitise, sanitiseLines } from '../terminal/sanitise.js';
import { redact } from './redact.js';
import type { Theme } from './theme.js';

export interface ErrorView {
  readonly theme: Theme;
  /** Shows stacks. */
  readonly debug: boolean;
  /** Texts that must not appear in the output. */
  readonly secrets: readonly string[];
}

/** `error: what (E_CODE)`, then why, then the command to run next. Further lines of why are indented: a handler may have written them. */
export function renderError(error: EvstoreError, { theme, debug, secrets }: ErrorView): string {
  const clean = (text: string) => sanitiseLines(redact(text, secrets));
  // It contains names from the store, in which a line break could forge a line.
  const what = sanitise(redact(error.message, secrets));
  const lines = [`${theme.bad('error:')} ${what} ${theme.faint(`(${error.code})`)}`];
  if (error.why !== undefined) lines.push(clean(error.why).replaceAll('\n', '\n  '));
  if (error.next !== undefined) lines.push(`next: ${theme.strong(sanitise(redact(error.next, secrets)))}`);
  if (debug) lines.push(...stacksOf(error).map((stack) => theme.faint(clean(stack))));
  return `${lines.join('\n')}\n`;
}

/** `{"error":{"code","message","why","next","details"}}` on one line. */
export function renderErrorJson(error: EvstoreError, { debug, secrets }: ErrorView): string {
  const { code, message, why = null, next = null, details } = error;
  const stack = debug ? { stack: stacksOf(error) } : {};
  const json = JSON.stringify({ error: { code, message, why, next, details, ...stack } }, (_key, value: unknown) =>
    typeof value === 'string' ? redact(value, secrets) : value,
  );
  return `${sanitiseJson(json)}\n`;
}

/** Returns the stacks of the error and of its causes. */
function stacksOf(error: unknown): string[] {
  const stacks: string[] = [];
  for (let each: unknown = error; each instanceof Error && stacks.length < 10; each = each.cause) {
    stacks.push(each.stack ?? each.message);
  }
  return stacks;
}

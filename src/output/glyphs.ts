/** A sign before each line that says how it stands, in colour and without. */
import type { Finding } from '../domain/finding.js';
import type { View } from './view.js';

type Sign = Finding['severity'] | 'ok' | 'skipped';

const signs: Readonly<Record<Sign, readonly [unicode: string, ascii: string]>> = {
  error: ['✗', 'x'],
  warning: ['!', '!'],
  note: ['○', '-'],
  ok: ['●', '*'],
  skipped: ['○', '-'],
};

export function showSign(sign: Sign, { theme, unicode }: Pick<View, 'theme' | 'unicode'>): string {
  const [full, ascii] = signs[sign];
  const paint = { error: theme.bad, warning: theme.caution, note: theme.faint, ok: theme.good, skipped: theme.faint };
  return paint[sign](unicode ? full : ascii);
}

/** Whether a terminal shows more than ASCII. */
import type { Io } from './io.js';

export function showsUnicode(env: Io['env']): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG;
  return env.TERM !== 'linux' && (locale === undefined || /utf-?8/i.test(locale));
}

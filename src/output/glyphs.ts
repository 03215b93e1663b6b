/** A glyph before each line that says how it stands, with colour and without. */
import type { Theme } from './theme.js';
import type { View } from './view.js';

/** Says whether a row needs a hand: `bad` and `caution` rows are listed first. */
export type Mark = 'bad' | 'caution' | 'active' | 'idle';

export function glyphOf(mark: Mark, { theme, unicode }: Pick<View, 'theme' | 'unicode'>): string {
  const glyphs = unicode
    ? { bad: '✗', caution: '!', active: '●', idle: '○' }
    : { bad: 'x', caution: '!', active: '*', idle: 'o' };
  const paint: Readonly<Record<Mark, Theme['bad']>> = {
    bad: theme.bad,
    caution: theme.caution,
    active: theme.good,
    idle: theme.faint,
  };
  return paint[mark](glyphs[mark]);
}

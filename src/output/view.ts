/** What a renderer knows about the place where its text is read. */
import type { Theme } from './theme.js';

export type TimeStyle = 'relative' | 'local' | 'iso';

export interface View {
  readonly theme: Theme;
  /** Cells per line. */
  readonly width: number;
  /** Whether non-ASCII characters can be shown. */
  readonly unicode: boolean;
  readonly now: Date;
  /** How times are shown, where that was asked for. */
  readonly times?: TimeStyle | undefined;
}

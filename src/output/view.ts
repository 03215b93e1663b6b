/** What a renderer may know about where its text will be read. */
import type { Theme } from './theme.js';

export interface View {
  readonly theme: Theme;
  /** Cells a line. */
  readonly width: number;
  /** Whether characters beyond ASCII can be shown. */
  readonly unicode: boolean;
  readonly now: Date;
}

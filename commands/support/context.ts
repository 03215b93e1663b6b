/**
 * What a command is given beside its arguments: the process, the store the flags name, and how to show results.
 * One is made per invocation by program.ts, which also closes the store and flushes the output.
 */
import type { LoadedConfig } from '../../src/config/config.js';
import type { StoreChoice } from '../../src/config/precedence.js';
import type { Theme } from '../../src/output/theme.js';
import type { View } from '../../src/output/view.js';
import type { Store } from '../../src/store/store.js';
import type { Io } from '../../src/terminal/io.js';
import type { Progress } from '../../src/terminal/progress.js';

export type OutputFormat = 'table' | 'json' | 'ndjson' | 'tsv';

export interface Context {
  readonly io: Io;
  /**
   * The store the flags, the environment or the config name, with its schema checked; opened once, closed by program.ts.
   * `create: true` (init, migrate, demo) makes a SQLite file that is missing, and leaves the schema unchecked;
   * `unchecked: true` only leaves the schema unchecked.
   */
  openStore(options?: { readonly create?: boolean; readonly unchecked?: boolean }): Promise<Store>;
  /** Which store that is, and who named it; opens nothing. */
  storeChoice(): Promise<StoreChoice>;
  /**
   * The config file's content, and the folder its paths are relative to. Executes the user's file, unless it is JSON:
   * only for commands that need it. Without a file it is empty.
   */
  config(): Promise<LoadedConfig>;
  /** `--output`, with `auto` resolved: `people` on a terminal, `pipe` elsewhere. */
  format(auto: { readonly people: OutputFormat; readonly pipe: OutputFormat }): OutputFormat;
  /** A report is to be one JSON document: `--json`, and `--output` json or ndjson. */
  readonly asJson: boolean;
  readonly quiet: boolean;
  /** Where text on stdout will be read: for the renderers of src/output. */
  readonly view: View;
  /** For text on stdout and on stderr; each decided by its own stream. */
  readonly theme: { readonly stdout: Theme; readonly stderr: Theme };
  /** The command line as it was typed, with more flags behind it: for errors that say how to go on. */
  repeatedWith(...flags: readonly string[]): string;
  /** One line for people, on stderr; silent with `--quiet` or `--json`. */
  note(line: string): Promise<void>;
  /** A warning on stderr, never silent. */
  warn(line: string): Promise<void>;
  /** Markdown for the summary of a run in CI, where one is kept; nothing elsewhere. */
  summarise(markdown: string): Promise<void>;
  /** How far the work is, on stderr; silent with `--quiet`, and with `--json` unless `--progress json` asks for it. */
  progress(label: string, total?: number): Promise<Progress>;
  /**
   * Asks before something destructive; `--yes` answers it.
   * @throws E_CONFIRM without a terminal and without `--yes`, or when the answer is no
   */
  confirm(question: string): Promise<void>;
}

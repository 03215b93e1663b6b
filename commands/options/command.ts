/**
 * The shape of a command: its name, its arguments and options, and a `run` that goes options → parse → run → view, with
 * the context it runs in. A command file exports one of these as `command`.
 */
import type { Option } from 'commander';
import type { LoadedConfig } from '../../src/config/config.js';
import type { StoreChoice } from '../../src/config/precedence.js';
import type { Theme } from '../../src/output/theme.js';
import type { View } from '../../src/output/view.js';
import type { Store } from '../../src/store/store.js';
import type { Io } from '../../src/terminal/io.js';
import type { Progress } from '../../src/terminal/progress.js';

/** What commander read from the command line: camelCase names, strings unless the option parses. */
export type Flags = Readonly<Record<string, unknown>>;

export interface Command {
  /** Name and arguments, as in `read [stream]`. */
  readonly usage: string;
  /** Half a line, starting with a verb. Only subcommands have one here: the summaries of commands are in the catalog. */
  readonly summary?: string;
  /** One line: what it writes, and where. `nothing` for a reader. */
  readonly writes: string;
  /** Command lines, each with what it is for. They lead the help. */
  readonly examples: readonly Example[];
  readonly options: readonly Option[];
  readonly subcommands?: readonly Command[];
  /** Of a command with subcommands: which one runs when none is named. */
  readonly defaultSubcommand?: string;
  /** The exit code; 0 when it returns nothing. */
  readonly run?: (args: readonly string[], flags: Flags, context: Context) => Promise<number | undefined>;
}

export interface Example {
  readonly line: string;
  readonly purpose: string;
}

export type OutputFormat = 'table' | 'json' | 'ndjson' | 'tsv';

/** What a command line printed, and its exit code. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

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
  /** The variables in `io.env` that come from a `.env`. */
  readonly fromDotenv: ReadonlySet<string>;
  /** `--output`, with `auto` resolved: `people` on a terminal, `pipe` elsewhere. */
  format(auto: { readonly people: OutputFormat; readonly pipe: OutputFormat }): OutputFormat;
  /** A report is to be one JSON document: `--json`, and `--output` json or ndjson. */
  readonly asJson: boolean;
  readonly quiet: boolean;
  /** Where text on stdout will be read: for the renderers of src/output. */
  readonly view: View;
  /** For text on stdout and on stderr; each decided by its own stream. */
  readonly theme: { readonly stdout: Theme; readonly stderr: Theme };
  /** Returns a command for the user to run next, `evstore …`, for the store of this run. */
  completeCommand(command: string): string;
  /** The command line as it was typed, with more flags behind it: for errors that say how to go on. */
  repeatedWith(...flags: readonly string[]): string;
  /** The same without options of one value each that were typed: `['--from', '-n']`. */
  repeatedWithout(options: readonly string[], ...flags: readonly string[]): string;
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
  /** Runs a command line in another folder, as if it had been typed there. */
  runLine(cwd: string, line: string): Promise<Ran>;
  /** Loads every command. */
  loadCommands(): Promise<readonly Command[]>;
}

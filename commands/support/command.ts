/**
 * The shape of a command: what it is called, what it takes, and a `run` that goes options → parse → run → view.
 * A command file exports one of these as `command`; program.ts turns it into a commander command.
 */
import { Command as CommanderCommand, Option } from 'commander';
import { EvstoreError, isEvstoreError } from '../../src/domain/errors.js';
import type { Context } from './context.js';

/** What commander read from the command line: camelCase names, strings unless the option parses. */
export type Flags = Readonly<Record<string, unknown>>;

export interface Command {
  /** Name and arguments, as in `read [stream]`. */
  readonly usage: string;
  /** Half a line, for the list of commands. */
  readonly summary: string;
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

/** An option; `parse` turns the text into a value or throws an `EvstoreError` (E_USAGE), which then names the option. */
export function option<Value>(
  flags: string,
  description: string,
  parse?: (text: string, before: Value | undefined) => Value,
): Option {
  const made = new Option(flags, description);
  if (parse === undefined) return made;
  return made.argParser((text: string, before: Value | undefined) => {
    try {
      return parse(text, before);
    } catch (error) {
      if (!isEvstoreError(error)) throw error;
      const { code, message, why, next, details } = error;
      throw new EvstoreError(code, `${made.long}: ${message}`, { why, next, details, cause: error });
    }
  });
}

/** Runs what the command line asked for: set once per invocation by program.ts. */
export type Invoke = (command: Command, args: readonly string[], flags: Flags) => Promise<void>;

/** The options a leaf takes beside its own. */
export type SharedOptions = (command: Command) => readonly Option[];

/** Turns a command into commander's own, subcommands included. */
export function toCommander(command: Command, shared: SharedOptions, invoke: Invoke): CommanderCommand {
  const [name = '', ...args] = command.usage.split(' ');
  const made = new CommanderCommand(name).summary(command.summary).description(describe(command));
  made.helpOption('-h, --help', 'this text').helpCommand(false);
  made.exitOverride().configureOutput({ writeErr: () => {}, outputError: () => {} });
  for (const argument of args) made.argument(argument);
  for (const each of [...command.options, ...(command.run === undefined ? [] : shared(command))]) made.addOption(each);
  for (const child of command.subcommands ?? []) {
    const isDefault = child.usage.split(' ')[0] === command.defaultSubcommand;
    made.addCommand(toCommander(child, shared, invoke), { isDefault });
  }
  if (command.run !== undefined) {
    made.action(async () => invoke(command, made.args, made.opts()));
  } else if (command.defaultSubcommand === undefined) {
    made.action(() => made.help());
  }
  return made;
}

function describe(command: Command): string {
  const examples = command.examples.map(({ line, purpose }) => `  $ ${line}\n      ${purpose}`);
  const parts = [command.summary, ...(examples.length === 0 ? [] : [`Examples:\n${examples.join('\n')}`])];
  return [...parts, `Writes: ${command.writes}`].join('\n\n');
}

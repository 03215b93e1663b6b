/** Turns a command into one of commander's. */
import { Command as CommanderCommand, Option } from 'commander';
import type { Command, Flags } from '../options/command.js';
import { sharedGroup } from '../options/shared-options.js';

/** Runs what the command line asked for: set once per invocation by program.ts. */
export type Invoke = (command: Command, args: readonly string[], flags: Flags) => Promise<void>;

/** The options a leaf takes beside its own. */
export type SharedOptions = (command: Command) => readonly Option[];

/** Turns a command into one of commander's, with its subcommands. */
export function toCommander(
  command: Command,
  summary: string,
  shared: SharedOptions,
  invoke: Invoke,
): CommanderCommand {
  const [name = '', ...args] = command.usage.split(' ');
  const made = new CommanderCommand(name).summary(summary).description(describe(command, summary));
  const helpGroup = command.run === undefined ? 'Options:' : sharedGroup;
  made.addHelpOption(new Option('-h, --help', 'show help').helpGroup(helpGroup)).helpCommand(false);
  made.exitOverride().configureOutput({ writeErr: () => {}, outputError: () => {} });
  for (const argument of args) made.argument(argument);
  for (const each of [...command.options, ...(command.run === undefined ? [] : shared(command))]) made.addOption(each);
  for (const child of command.subcommands ?? []) {
    const isDefault = child.usage.split(' ')[0] === command.defaultSubcommand;
    made.addCommand(toCommander(child, child.summary ?? '', shared, invoke), { isDefault });
  }
  if (command.run !== undefined) {
    made.action(async () => invoke(command, made.args, made.opts()));
  } else if (command.defaultSubcommand === undefined) {
    made.action(() => made.outputHelp());
  }
  return made;
}

function describe(command: Command, summary: string): string {
  const examples = command.examples.map(({ line, purpose }) => `  $ ${line}\n      ${purpose}`);
  const parts = [summary, ...(examples.length === 0 ? [] : [`Examples:\n${examples.join('\n')}`])];
  return [...parts, `Writes: ${command.writes}`].join('\n\n');
}

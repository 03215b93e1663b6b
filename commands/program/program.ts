/**
 * From the command line to a command and its exit code. Only the command asked for is loaded, and nothing at all for
 * `--help` and `--version`.
 */

import { Command as CommanderCommand, CommanderError } from 'commander';
import { EvstoreError } from '../../src/domain/errors.js';
import { findSimilar } from '../../src/domain/similar.js';
import type { Io } from '../../src/terminal/io.js';
import { stopOf } from '../../src/terminal/signals.js';
import { readVersion } from '../../src/terminal/version.js';
import { type CommandName, catalog } from '../catalog.js';
import type { Command, Ran } from '../options/command.js';
import { sharedOptions, splitSharedFlags, withoutRepeated } from '../options/shared-options.js';
import { loaders } from './loaders.js';
import { type Invoke, toCommander } from './to-commander.js';
import { wrapOutput } from './wrapped-output.js';

/** Widest line of a help text, so that it fits an indented quotation. */
const helpColumns = 77;

/** @returns the exit code; whatever goes wrong has been said on stderr */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const secrets: string[] = [];
  let code: number;
  try {
    code = await run(argv, io, secrets);
  } catch (error) {
    code = await fail(error, argv, io, secrets);
  }
  try {
    await io.stdout.flush();
  } catch (error) {
    // A command that was stopped because its output failed has not said so.
    if (code === 0) code = await fail(error, argv, io, secrets);
  }
  await io.stderr.flush().catch(() => {});
  return stopOf(io.signal)?.exitCode ?? code;
}

async function run(argv: readonly string[], io: Io, secrets: string[]): Promise<number> {
  let code = 0;
  const root = createRoot();
  const { flags, rest } = splitSharedFlags(asFlag(argv));
  const [name = '', ...args] = rest;
  let words = rest.length === 0 ? ['--help'] : [...rest];
  if (!isCommand(name)) {
    listCommands(root);
    // Alone: with --help it would not be called unknown.
    if (/^[^-]/.test(name)) words = [name];
  } else {
    const { command } = await loaders[name]();
    root.addCommand(toCommander(command, catalog[name].summary, sharedOptions, invoke));
    words = [name, ...placeFlags(command, withoutRepeated(flags, args, command), args)];
  }
  let printed = '';
  eachCommand(root, (each) =>
    each.configureOutput({
      writeOut: (text) => (printed += text),
      getOutHelpWidth: () => Math.min(io.stdout.columns, helpColumns),
    }),
  );
  try {
    await root.parseAsync([...words], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError) || error.exitCode !== 0) throw error;
  }
  await printHelp(printed, io);
  return code;

  async function runLine(cwd: string, line: string): Promise<Ran> {
    const { runInside } = await import('./run-inside.js');
    return runInside(main, cwd, line, io);
  }

  async function invoke(...[command, operands, options]: Parameters<Invoke>): Promise<void> {
    const { createContext } = await import('./create-context.js');
    const { context, close } = await createContext(
      name,
      options,
      io,
      { argv, secrets, writes: command.writes },
      { runLine, loadCommands },
    );
    try {
      code = (await command.run?.(operands, options, context)) ?? 0;
    } finally {
      await close();
    }
  }
}

function isCommand(name: string): name is CommandName {
  return Object.hasOwn(catalog, name);
}

function loadCommands(): Promise<readonly Command[]> {
  return Promise.all(Object.values(loaders).map(async (load) => (await load()).command));
}

async function printHelp(text: string, { stdout }: Io): Promise<void> {
  if (text !== '') await (await wrapOutput(stdout)).write(text);
}

/** `evstore help read`, as git and gh have it: `evstore read --help`. */
function asFlag(argv: readonly string[]): readonly string[] {
  return argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv;
}

/** A command that was cut short, because it was told to or nobody listens any more, has nothing to report. */
export async function fail(
  error: unknown,
  argv: readonly string[],
  io: Io,
  secrets: readonly string[],
): Promise<number> {
  if (error instanceof Error && error.name === 'AbortError' && io.signal.aborted) return 0;
  const { reportError } = await import('./report-error.js');
  return reportError(error, { io, argv, secrets });
}

function createRoot(): CommanderCommand {
  const root = new CommanderCommand('evstore').exitOverride();
  root.description('Work with event stores on Postgres and SQLite.').usage('COMMAND [options]');
  root.helpOption('-h, --help', 'show help').helpCommand(false);
  root.configureOutput({ writeErr: () => {}, outputError: () => {} });
  return root;
}

/** What only `--help`, `--version` and a name that is no command's need. */
function listCommands(root: CommanderCommand): void {
  root.version(readVersion(), '-V, --version', 'show the version');
  root.addHelpText('after', '\nevstore COMMAND --help shows the options of a command, with examples.');
  for (const [name, { summary, group }] of Object.entries(catalog)) {
    root.addCommand(new CommanderCommand(name).summary(summary).description(summary).helpGroup(group));
  }
}

function eachCommand(command: CommanderCommand, visit: (each: CommanderCommand) => void): void {
  visit(command);
  for (const child of command.commands) eachCommand(child, visit);
}

/**
 * Flags that stood before a name belong to the command that is run: they go behind the names of subcommands.
 * @throws E_USAGE for a subcommand that does not exist, where commander would hand it to the default one
 */
function placeFlags(command: Command, flags: readonly string[], args: readonly string[]): string[] {
  const split = splitSharedFlags(args);
  const [first] = split.rest;
  const children = command.subcommands ?? [];
  const child = children.find((each) => nameOf(each) === first);
  if (child !== undefined && first !== undefined) {
    return [first, ...placeFlags(child, [...flags, ...split.flags], split.rest.slice(1))];
  }
  const fallback = children.find((each) => nameOf(each) === command.defaultSubcommand);
  const takesArguments = children.length === 0 || fallback?.usage.includes(' ') === true;
  if (first !== undefined && !first.startsWith('-') && !takesArguments) throw unknownSubcommand(command, first);
  return [...flags, ...args];
}

function unknownSubcommand(command: Command, name: string): EvstoreError {
  const names = (command.subcommands ?? []).map(nameOf);
  const meant = findSimilar(name, names);
  return new EvstoreError('E_USAGE', `unknown command '${nameOf(command)} ${name}'`, {
    why: meant === undefined ? `There is ${names.join(', ')}.` : `Did you mean ${meant}?`,
    next: `evstore ${nameOf(command)} --help`,
  });
}

function nameOf({ usage }: Command): string {
  return usage.split(' ')[0] ?? '';
}

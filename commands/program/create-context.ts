/** The context of one invocation, over a real or a test's process. */

import { existsSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import type { LoadedConfig } from '../../src/config/config.js';
import { adoptPostgresVariables, withDotenv } from '../../src/config/dotenv.js';
import { findConfig, isExecutable } from '../../src/config/find-config.js';
import { resolveStore, type StoreChoice } from '../../src/config/precedence.js';
import { EvstoreError, isEvstoreError } from '../../src/domain/errors.js';
import { shellWord } from '../../src/domain/shell-word.js';
import { redact, secretsOf } from '../../src/output/redact.js';
import { createTheme, decideColour } from '../../src/output/theme.js';
import { openStoreAt } from '../../src/store/open.js';
import type { ConnectPatience, Store } from '../../src/store/store.js';
import { appendSummary, isInActions, toAnnotation } from '../../src/terminal/actions.js';
import type { Io, Output } from '../../src/terminal/io.js';
import { startProgress } from '../../src/terminal/progress.js';
import { sanitise } from '../../src/terminal/sanitise.js';
import { showsUnicode } from '../../src/terminal/unicode.js';
import type { Context, Flags, OutputFormat } from '../options/command.js';
import { asksForJson, type SharedFlags } from '../options/shared-options.js';
import { completeCommand, completeCommands } from './follow-up.js';
import { confirm, protectByName } from './prompts.js';
import { wrapOutput } from './wrapped-output.js';

export interface OpenContext {
  readonly context: Context;
  /** Closes the store if it was opened; never throws. */
  close(): Promise<void>;
}

export interface Invocation {
  /** The whole command line, for the errors that tell how to repeat it. */
  readonly argv: readonly string[];
  /** Passwords are added to it as they become known. */
  readonly secrets: string[];
  /** As the help says. */
  readonly writes: string;
}

/** What a command may ask of the program that runs it. */
export type Program = Pick<Context, 'runLine' | 'loadCommands'>;

/** @param name of the command, for the database's list of clients */
export async function createContext(
  name: string,
  flags: Flags,
  given: Io,
  { argv, secrets, writes }: Invocation,
  program: Program,
): Promise<OpenContext> {
  const shared = flags as SharedFlags;
  const { env, fault } = await readEnvironment(given, shared);
  const io: Io = {
    ...given,
    stdout: isForPeople(shared) ? await wrapOutput(given.stdout) : given.stdout,
    stderr: await wrapOutput(given.stderr),
    env,
  };
  const asJson = asksForJson(flags);
  const stdoutTheme = await createTheme(decideColour(colourFacts(shared, io, io.stdout)));
  const stderrTheme = await createTheme(decideColour(colourFacts(shared, io, io.stderr)));
  const quiet = shared.quiet === true;
  const silent = quiet || asJson;
  let store: Promise<Store> | undefined;
  let config: Promise<LoadedConfig> | undefined;

  const spell = (word: string) => shellWord(redact(word, secrets));

  function repeatedWith(...flags: readonly string[]): string {
    return ['evstore', ...[...argv, ...flags].map(spell)].join(' ');
  }

  function repeatedWithout(options: readonly string[], ...flags: readonly string[]): string {
    return ['evstore', ...[...withoutOptions(argv, options), ...flags].map(spell)].join(' ');
  }

  const typed = { argv, env: io.env };

  async function note(line: string): Promise<void> {
    if (!silent) await io.stderr.write(`${stderrTheme.faint(sanitise(completeCommands(line, typed)))}\n`);
  }

  async function warn(given: string): Promise<void> {
    const line = completeCommands(given, typed);
    const text = isInActions(io.env)
      ? toAnnotation('warning', line)
      : `${stderrTheme.caution('warning:')} ${sanitise(line)}\n`;
    await io.stderr.write(text);
  }

  function readConfig(): Promise<LoadedConfig> {
    // `--no-config` of init leaves a boolean here.
    const named = typeof shared.config === 'string' ? shared.config : undefined;
    config ??= loadNearestConfig(io.cwd, named, note);
    return config;
  }

  async function chooseStore(): Promise<StoreChoice> {
    if (fault !== undefined) throw fault;
    const choice = await resolveStore({ cwd: io.cwd, env: io.env, flags: shared, config: readConfig });
    secrets.push(...secretsOf(choice.url));
    return choice;
  }

  async function open(options: OpenOptions): Promise<Store> {
    const choice = await chooseStore();
    if (/^postgres/i.test(choice.url)) adoptPostgresVariables(io.env);
    const { timeout } = flags as { timeout?: number };
    const patience: ConnectPatience = {
      ...(timeout !== undefined && { ms: timeout }),
      signal: io.signal,
      cancels: /\bnothing( in the store)?$/.test(writes),
      onWait: (error) =>
        note(`waiting for the database: ${error.message}. ${error.why ?? ''}`.trimEnd()).catch(() => {}),
    };
    const allow =
      choice.isProtected === true
        ? protectByName(io, choice.name ?? '', shared.confirm, (confirmed) =>
            repeatedWithout(['--confirm'], '--confirm', confirmed),
          )
        : undefined;
    // Opening makes the file.
    if (options.create === true) await allow?.();
    const opened = await openChecked(choice, name, { ...options, patience });
    for (const line of opened.notes ?? []) await note(line);
    if (allow === undefined) return opened;
    const { guardWrites } = await import('../../src/store/guard-writes.js');
    return guardWrites(opened, allow);
  }

  const context: Context = {
    ...program,
    io,
    asJson,
    quiet,
    theme: { stdout: stdoutTheme, stderr: stderrTheme },
    view: {
      theme: stdoutTheme,
      width: io.stdout.columns,
      unicode: showsUnicode(io.env),
      now: io.now(),
      times: shared.times,
    },
    openStore: (options = {}) => {
      store ??= open(options);
      return store;
    },
    storeChoice: chooseStore,
    config: readConfig,
    fromDotenv: new Set(Object.keys(env).filter((name) => given.env[name] === undefined)),
    format: ({ people, pipe }) => {
      if (shared.json) return 'json';
      if (shared.output !== undefined && shared.output !== 'auto') return shared.output as OutputFormat;
      return io.stdout.isTTY ? people : pipe;
    },
    repeatedWith,
    repeatedWithout,
    completeCommand: (command) => completeCommand(command, typed),
    note,
    warn,
    summarise: (markdown) =>
      appendSummary(io, markdown).catch((error: Error) => warn(`the summary could not be written: ${error.message}`)),
    progress: (label, total) => {
      const people = silent ? 'none' : 'people';
      return startProgress(io, shared.progress === 'json' ? 'json' : people, label, total);
    },
    confirm: async (question) => {
      if (!shared.yes) await confirm(io, question, repeatedWith('--yes'));
    },
  };
  const close = async () => {
    const opened = await store?.catch(() => undefined);
    await opened?.close();
  };
  return { context, close };
}

/** `--name value`, `--name=value`, `-n value` and `-nvalue`. */
function withoutOptions(argv: readonly string[], options: readonly string[]): readonly string[] {
  const isJoined = (word: string) =>
    options.some((name) => (name.startsWith('--') ? word.startsWith(`${name}=`) : word.startsWith(name)));
  return argv.filter((word, at) => !options.includes(word) && !options.includes(argv[at - 1] ?? '') && !isJoined(word));
}

function isForPeople({ json, output = 'auto' }: SharedFlags): boolean {
  return json !== true && ['auto', 'table'].includes(output);
}

/** A `.env` that cannot be used is told when a store is wanted: completion and help need none. */
async function readEnvironment(
  { cwd, env }: Io,
  { config }: SharedFlags,
): Promise<{ env: Io['env']; fault?: unknown }> {
  try {
    const file = findConfig(cwd, typeof config === 'string' && existsSync(resolve(cwd, config)) ? config : undefined);
    const folders = file === undefined ? [cwd] : [...new Set([cwd, dirname(file)])];
    return { env: await withDotenv(folders, cwd, env) };
  } catch (fault) {
    return { env, fault };
  }
}

function colourFacts({ color = 'auto' }: SharedFlags, { env }: Io, { isTTY }: Output) {
  return { choice: color, env, isTTY };
}

async function loadNearestConfig(
  cwd: string,
  named: string | undefined,
  note: (line: string) => Promise<void>,
): Promise<LoadedConfig> {
  const file = findConfig(cwd, named);
  if (file === undefined) return { file, folder: cwd };
  if (isExecutable(file)) await note(`config: ${relative(cwd, file)}`);
  const { loadConfig } = await import('../../src/config/load-config.js');
  return loadConfig(file);
}

interface OpenOptions {
  readonly create?: boolean;
  readonly unchecked?: boolean;
  readonly patience?: ConnectPatience;
}

async function openChecked(choice: StoreChoice, name: string, given: OpenOptions) {
  const { create = false, unchecked = create, patience } = given;
  const { url, schema, origin } = choice;
  const options = { create, applicationName: `evstore ${name}`, patience, ...(schema !== undefined && { schema }) };
  let store: Store | undefined;
  try {
    store = await openStoreAt(url, options);
    if (!unchecked) await store.schema.assertReady();
    return store;
  } catch (error) {
    await store?.close();
    throw withOrigin(error, origin);
  }
}

/** A store that cannot be reached is most often the wrong one: say who named it. */
function withOrigin(error: unknown, origin: string): unknown {
  if (!isEvstoreError(error) || !['E_CONNECT', 'E_CONFIG', 'E_NO_SCHEMA', 'E_PERMISSION'].includes(error.code)) {
    return error;
  }
  const why = [error.why, `The store's URL comes from ${origin}.`].filter((part) => part !== undefined).join(' ');
  return new EvstoreError(error.code, error.message, { why, next: error.next, details: error.details, cause: error });
}

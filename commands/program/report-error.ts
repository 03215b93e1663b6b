/** The one door for errors: whatever was thrown becomes a text on stderr and an exit code. */
import { CommanderError } from 'commander';
import { type ErrorCode, EvstoreError, isEvstoreError } from '../../src/domain/errors.js';
import { type ErrorView, renderError, renderErrorJson } from '../../src/output/error-text.js';
import { secretsOf } from '../../src/output/redact.js';
import { createTheme, decideColour, plainTheme } from '../../src/output/theme.js';
import { isInActions, toAnnotation } from '../../src/terminal/actions.js';
import type { Io } from '../../src/terminal/io.js';
import { catalog } from '../catalog.js';
import { beforeOperands, completeCommand, completeCommands, type Typed, valuesOf } from './follow-up.js';
import { wrapOutput } from './wrapped-output.js';

export interface ErrorContext {
  readonly io: Io;
  readonly argv: readonly string[];
  readonly secrets: readonly string[];
}

/** Prints it. @returns the exit code */
export async function reportError(thrown: unknown, { io, argv, secrets }: ErrorContext): Promise<number> {
  const error = withCommand(toEvstoreError(thrown, argv), { argv, env: io.env });
  const wanted = readErrorFlags(argv);
  const view: ErrorView = {
    theme: await createTheme(decideColour({ choice: wanted.colour, env: io.env, isTTY: io.stderr.isTTY })),
    debug: wanted.debug,
    secrets: [...secrets, ...knownSecrets(io, argv)],
  };
  const text = wanted.json ? renderErrorJson(error, view) : renderForPeople(error, view, io);
  const stderr = wanted.json ? io.stderr : await wrapOutput(io.stderr);
  // With nobody left to tell, the exit code is all there is.
  await stderr.write(text).catch(() => {});
  return error.exitCode;
}

function renderForPeople(error: EvstoreError, view: ErrorView, { env }: Io): string {
  if (!isInActions(env)) return renderError(error, view);
  const text = renderError(error, { ...view, theme: plainTheme }).trimEnd();
  return toAnnotation('error', text.replace(/^error: /, ''), error.code);
}

function toEvstoreError(thrown: unknown, argv: readonly string[]): EvstoreError {
  if (isEvstoreError(thrown)) return withExplanation(withPrivileges(withHelp(thrown, argv), argv));
  if (thrown instanceof CommanderError) return toUsageError(thrown, argv);
  const message = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return new EvstoreError('E_BUG', `unexpected ${message}`, {
    why: 'This is a bug in evstore. Repeating the command with --debug shows where; please report it with that.',
    cause: thrown,
  });
}

function toUsageError({ message }: CommanderError, argv: readonly string[]): EvstoreError {
  const [what = '', ...more] = message.replace(/^error: /, '').split('\n');
  const suggestion = more.join(' ').replace(/^\((.*)\)$/, '$1');
  return new EvstoreError('E_USAGE', what, {
    why: suggestion === '' ? undefined : suggestion,
    next: what.startsWith('unknown command') ? 'evstore --help' : helpOf(argv),
  });
}

/** Where nothing better is known, what the command takes comes next. */
function withHelp(error: EvstoreError, argv: readonly string[]): EvstoreError {
  if (error.code !== 'E_USAGE' || error.next !== undefined) return error;
  const { message, why, details } = error;
  return new EvstoreError('E_USAGE', message, { why, next: helpOf(argv), details, cause: error });
}

/** The doctor says what the account lacks for this very command. */
function withPrivileges(error: EvstoreError, argv: readonly string[]): EvstoreError {
  const command = commandOf(argv);
  if (error.code !== 'E_PERMISSION' || error.next !== 'evstore doctor' || command === undefined) return error;
  const { message, why, details } = error;
  return new EvstoreError('E_PERMISSION', message, {
    why,
    next: `evstore doctor --for ${command}`,
    details,
    cause: error,
  });
}

/** Codes whose errors say all there is to say. */
const plain: readonly ErrorCode[] = ['E_BUG', 'E_CHECK_FAILED', 'E_CONFIRM', 'E_OUTPUT', 'E_USAGE'];

function withExplanation(error: EvstoreError): EvstoreError {
  const { code, message, why, next, details } = error;
  if (next !== undefined || plain.includes(code)) return error;
  return new EvstoreError(code, message, { why, next: `evstore explain ${code}`, details, cause: error });
}

function withCommand(error: EvstoreError, typed: Typed): EvstoreError {
  const { code, message, details } = error;
  const why = error.why === undefined ? undefined : completeCommands(error.why, typed);
  const next = error.next === undefined ? undefined : completeCommand(error.next, typed);
  if (next === error.next && why === error.why) return error;
  return new EvstoreError(code, message, { why, next, details, cause: error });
}

function helpOf(argv: readonly string[]): string {
  const command = commandOf(argv);
  return command === undefined ? 'evstore --help' : `evstore ${command} --help`;
}

function commandOf(argv: readonly string[]): string | undefined {
  return argv.find((word) => Object.hasOwn(catalog, word));
}

/** What of the command line concerns errors, read without its grammar: it may be what is wrong. */
function readErrorFlags(argv: readonly string[]) {
  const words = beforeOperands(argv);
  const colour = valuesOf(argv, '--color').at(-1);
  return {
    json:
      words.includes('--json') ||
      valuesOf(argv, '-o', '--output').some((value) => value === 'json' || value === 'ndjson'),
    debug: words.includes('--debug'),
    colour: colour === 'always' || colour === 'never' ? colour : 'auto',
  } as const;
}

function knownSecrets({ env }: Io, argv: readonly string[]): string[] {
  const urls = [...argv, env.EVSTORE_URL ?? '', env.DATABASE_URL ?? ''];
  return [...urls.flatMap(secretsOf), ...(env.PGPASSWORD ? [env.PGPASSWORD] : [])];
}

/** Questions to the person at the terminal, before something is written. */
import { EvstoreError } from '../../src/domain/errors.js';
import type { Io } from '../../src/terminal/io.js';
import { sanitise } from '../../src/terminal/sanitise.js';

/**
 * Returns what allows the writes to a protected store. It asks for the store's name at the first one, and once.
 * @param given by `--confirm`. @param repeat makes the command that confirms the name
 */
export function protectByName(
  io: Io,
  name: string,
  given: string | undefined,
  repeat: (name: string) => string,
): () => Promise<void> {
  let allowed: Promise<void> | undefined;
  return () => {
    allowed ??= confirmName(io, name, given, repeat(name));
    return allowed;
  };
}

/** @throws E_CONFIRM unless the answer is yes. @param next the command that needs no answer */
export async function confirm(io: Io, question: string, next: string): Promise<void> {
  const answer = await ask(io, `${sanitise(question)} [y/N]`);
  if (answer !== undefined && /^y(es)?$/i.test(answer.trim())) return;
  io.signal.throwIfAborted();
  throw new EvstoreError(
    'E_CONFIRM',
    answer === undefined ? 'no terminal to ask for confirmation; use --yes' : 'not confirmed',
    {
      why: `${question} Nothing was changed.`,
      next,
    },
  );
}

/** Asks for the name of a protected store; `--confirm` answers it, and `--yes` does not. */
async function confirmName(io: Io, name: string, given: string | undefined, next: string): Promise<void> {
  const answer = given ?? (await ask(io, `${name} is protected. Type its name to write to it:`));
  if (answer?.trim() === name) return;
  io.signal.throwIfAborted();
  const what =
    answer === undefined ? 'no terminal to ask for its name; use --confirm' : `'${answer.trim()}' is not its name`;
  throw new EvstoreError('E_CONFIRM', `the store ${name} is protected: ${what}`, {
    why: 'The config sets `protected` for it, so a write needs its name. Nothing was changed.',
    next,
  });
}

/** The person types behind the last line; what is above it is broken as other text is. */
async function ask(io: Io, question: string): Promise<string | undefined> {
  if (!io.stderr.isTTY) return io.ask(`${question} `);
  const { wrapLines } = await import('../../src/output/text-width.js');
  const lines = wrapLines(question, io.stderr.columns - 1).split('\n');
  const last = lines.pop() ?? '';
  await io.stderr.write(lines.map((line) => `${line}\n`).join(''));
  await io.stderr.flush();
  return io.ask(`${last} `);
}

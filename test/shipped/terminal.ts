/** The packed program on a terminal of a given width, or in a pipe, and what is to be true of what it shows. */
import { stripVTControlCharacters } from 'node:util';
import pty from '@lydell/node-pty';
import stringWidth from 'string-width';
import { commandInText, commandLine } from '../../src/domain/command-text.js';
import type { PackedPackage } from '../support/package.js';

/** Columns of a terminal, or a pipe. */
export type Place = number | 'pipe';

export interface Shown {
  readonly code: number | undefined;
  /** stdout and stderr together, without colour; lines that were drawn over are there too. */
  readonly screen: string;
}

export async function show(
  packed: PackedPackage,
  place: Place,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Shown> {
  if (place === 'pipe') {
    const { code, stdout, stderr } = await packed.evstore(argv, { env });
    return { code, screen: stdout + stderr };
  }
  const terminalEnv = { PATH: process.env.PATH ?? '', HOME: packed.folder, TERM: 'xterm-256color', LANG: 'C.UTF-8' };
  return new Promise((resolve) => {
    const terminal = pty.spawn(process.execPath, [packed.program, ...argv], {
      cwd: packed.folder,
      cols: place,
      rows: 50,
      env: { ...terminalEnv, ...env },
    });
    let screen = '';
    terminal.onData((text) => {
      screen += text;
    });
    terminal.onExit(({ exitCode }) => resolve({ code: exitCode, screen: toLines(screen).join('\n') }));
  });
}

/** A spinner goes back to the beginning of its line. */
function toLines(screen: string): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what moves the cursor
  return screen.split(/\r*\n|\r|\u001b\[(?:1G|2K|\d*A)/).map(stripVTControlCharacters);
}

/** Lines that the terminal has to break. A command is one line wherever it is shown, so that it can be copied. */
export function tooWide(screen: string, place: Place): string[] {
  if (place === 'pipe') return [];
  return screen.split('\n').filter((line) => stringWidth(line) > place && !commandLine.test(line));
}

/** The commands to run next that a text holds. */
export function commandsIn(text: string): string[] {
  return [...text.matchAll(commandInText)].map(([command]) => command);
}

/** Whether the name is there, or its beginning and an ellipsis. */
export function isShown(name: string, screen: string): boolean {
  if (screen.includes(name)) return true;
  const beginnings = [...name].map((_, index) => [...name].slice(0, index + 1).join(''));
  return beginnings.some((beginning) => screen.includes(`${beginning}…`));
}

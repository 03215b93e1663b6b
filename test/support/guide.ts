/**
 * Follows a guide of docs/ as a reader does: pastes its blocks, in order, into a terminal in an empty folder, with the packed
 * program. Files are compiled strictly, commands must succeed, and what the guide shows must appear.
 */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import pty from '@lydell/node-pty';
import { type PackedPackage, packPackage } from './package.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

export type Block =
  | { readonly kind: 'file'; readonly file: string; readonly text: string }
  | { readonly kind: 'commands'; readonly text: string; readonly shown: readonly string[] };

/**
 * Returns the blocks of a page. A file names itself in its first line; a `text` block is what the commands before it print.
 * @throws Error for a block that a test cannot follow
 */
export function readBlocks(page: string): readonly Block[] {
  const fences = [...page.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)];
  const blocks: Block[] = [];
  for (const [, language = '', text = ''] of fences) {
    const last = blocks.at(-1);
    const [, file] = /^(?:\/\/|--) (\S+\.\w+)\n/.exec(text) ?? [];
    if ((language === 'ts' || language === 'sql') && file !== undefined) blocks.push({ kind: 'file', file, text });
    else if (language === 'sh') blocks.push({ kind: 'commands', text, shown: [] });
    else if (language === 'text' && last?.kind === 'commands' && last.shown.length === 0) {
      blocks[blocks.length - 1] = { ...last, shown: text.trimEnd().split('\n') };
    } else throw new Error(`a block of '${language}' names no file, and no command prints it: ${text.slice(0, 80)}`);
  }
  return blocks;
}

export interface Followed {
  /** Whether every file compiled and every command succeeded. */
  readonly code: number;
  /** What the terminal showed, without colour. */
  readonly screen: string;
  /** Lines that the guide shows and that did not appear, in order, after their commands. */
  readonly missing: readonly string[];
}

export async function followGuide(name: string): Promise<Followed> {
  const blocks = readBlocks(readFileSync(join(root, 'docs', name), 'utf8'));
  const packed = await packPackage();
  try {
    addTools(packed.folder);
    writeFileSync(join(packed.folder, 'guide.sh'), writeScript(blocks));
    const { code, lines } = await runInTerminal(packed);
    const missing = blocks.flatMap((block, index) =>
      block.kind === 'commands' ? findMissing(block.shown, linesOfBlock(lines, index)) : [],
    );
    return { code, screen: lines.join('\n'), missing };
  } finally {
    packed.remove();
  }
}

/** What `npm install` would add to the packed program. */
function addTools(folder: string): void {
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '@types'), { recursive: true });
  for (const name of ['tsx', 'typescript', '@types/node']) {
    symlinkSync(join(root, 'node_modules', name), join(modules, name), 'dir');
  }
  symlinkSync('../tsx/dist/cli.mjs', join(modules, '.bin/tsx'));
  symlinkSync('../typescript/bin/tsc', join(modules, '.bin/tsc'));
}

/** The packages are there already, because no test uses the network. */
const preface = `set -euo pipefail
npm() {
  if [ "$1" != install ]; then command npm "$@"; return; fi
  shift
  for each in "$@"; do case "$each" in -*) ;; *) test -d "node_modules/$each" ;; esac; done
}
compile() {
  find . -name node_modules -prune -o -name '*.ts' -print | xargs tsc --strict --exactOptionalPropertyTypes \\
    --noUncheckedIndexedAccess --noEmit --ignoreConfig --module nodenext --target es2022 \\
    --allowImportingTsExtensions --types node
}
`;

const marker = 'block of the guide:';

function writeScript(blocks: readonly Block[]): string {
  const parts = blocks.map((block, index) => {
    const mark = `echo "${marker} ${index}"\n`;
    if (block.kind === 'commands') return mark + block.text;
    const { file, text } = block;
    const write = `mkdir -p "$(dirname '${file}')"\ncat > '${file}' <<'END OF FILE'\n${text}END OF FILE\n`;
    const isLastOfFiles = blocks[index + 1]?.kind !== 'file';
    return mark + write + (file.endsWith('.ts') && isLastOfFiles ? 'compile\n' : '');
  });
  return preface + parts.join('');
}

function runInTerminal({
  folder,
}: PackedPackage): Promise<{ readonly code: number; readonly lines: readonly string[] }> {
  return new Promise((resolve) => {
    const terminal = pty.spawn('bash', ['guide.sh'], {
      cwd: folder,
      cols: 100,
      rows: 50,
      env: {
        PATH: `${join(folder, 'node_modules/.bin')}:${process.env.PATH ?? ''}`,
        HOME: folder,
        TERM: 'xterm-256color',
        LANG: 'C.UTF-8',
        TZ: 'UTC',
        npm_config_offline: 'true',
        npm_config_update_notifier: 'false',
      },
    });
    let screen = '';
    terminal.onData((text) => {
      screen += text;
    });
    terminal.onExit(({ exitCode }) => resolve({ code: exitCode, lines: toLines(screen) }));
  });
}

/** A spinner goes back to the beginning of its line. */
function toLines(screen: string): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what moves the cursor
  return screen.split(/\r*\n|\r|\u001b\[(?:1G|[02]K|\d*A)/).map(stripVTControlCharacters);
}

function linesOfBlock(lines: readonly string[], index: number): readonly string[] {
  const from = lines.indexOf(`${marker} ${index}`);
  if (from === -1) return [];
  const to = lines.findIndex((line, place) => place > from && line.startsWith(marker));
  return lines.slice(from + 1, to === -1 ? undefined : to);
}

/** Returns the expected lines that do not follow each other in the output; other lines may come between. */
export function findMissing(shown: readonly string[], lines: readonly string[]): readonly string[] {
  const found = lines.map(loosely);
  let place = 0;
  return shown.filter((line) => {
    const at = loosely(line) === '' ? place : found.indexOf(loosely(line), place);
    if (at !== -1) place = at;
    return at === -1;
  });
}

/** Leaves out what differs from one run to the next: times, durations, sizes, ids, and how wide columns are. */
function loosely(line: string): string {
  return line
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replace(/\d\d:\d\d:\d\d/g, 'TIME')
    .replace(/\b\d+(?:\.\d+)? (?:ms|s|min|h)\b/g, 'DURATION')
    .replace(/\b\d+(?:\.\d+)? (?:B|kB|MB|GB|TB)\b/g, 'SIZE')
    .replace(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, 'ID')
    .replace(/\s+/g, ' ')
    .trim();
}

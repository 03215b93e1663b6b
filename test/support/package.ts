/**
 * The package as npm would publish it, unpacked, with the working tree's dependencies beside it.
 */
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface PackedPackage {
  /** A folder outside any project. */
  readonly folder: string;
  /** Runs the packed `evstore` as a user's shell would. */
  evstore(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Runs a line of shell with the packed `evstore` on the PATH. */
  shell(script: string, options?: RunOptions): Promise<RunResult>;
  remove(): void;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

export interface RunResult {
  readonly code: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

const sources = [
  'bin',
  'commands',
  'src',
  'templates',
  'build.mjs',
  'package.json',
  'tsconfig.json',
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
];

/** Packs a copy of the working tree (which compiles it) and unpacks the tarball into `node_modules` of a new folder. */
export async function packPackage(): Promise<PackedPackage> {
  const folder = mkdtempSync(join(tmpdir(), 'evstore-packed-'));
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '.bin'), { recursive: true });
  const copy = join(folder, 'sources');
  for (const source of sources) cpSync(join(root, source), join(copy, source), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'dir');
  const { stdout } = await execa('npm', ['pack', '--json', '--pack-destination', folder], { cwd: copy });
  const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf('[')));
  await execa('tar', ['-xzf', join(folder, filename), '-C', modules]);
  renameSync(join(modules, 'package'), join(modules, 'evstore'));
  rmSync(copy, { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(modules, 'evstore', 'node_modules'), 'dir');
  symlinkSync('../evstore/dist/bin/evstore.js', join(modules, '.bin', 'evstore'));
  await execa('chmod', ['+x', join(modules, 'evstore/dist/bin/evstore.js')]);

  async function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    const { cwd = folder, env = {}, input } = options;
    const path = `${join(modules, '.bin')}:${process.env.PATH ?? ''}`;
    const result = await execa(file, args, {
      cwd,
      env: { PATH: path, HOME: folder, ...env },
      extendEnv: false,
      reject: false,
      stripFinalNewline: false,
      ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
    });
    return { code: result.exitCode, signal: result.signal, stdout: result.stdout, stderr: result.stderr };
  }

  return {
    folder,
    evstore: (args, options) => run('evstore', args, options),
    shell: (script, options) => run('bash', ['-euo', 'pipefail', '-c', script], options),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

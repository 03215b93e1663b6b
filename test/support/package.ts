/**
 * The package as a user has it: packed by npm, unpacked, with a copy of its own of what it depends on. It is packed once
 * a run of the tests, by the first process that needs it.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface PackedPackage {
  /** A folder outside any project, with the package in its `node_modules`. */
  readonly folder: string;
  /** The file that Node runs. */
  readonly program: string;
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

/** Installs the package into a new folder. */
export async function packPackage(): Promise<PackedPackage> {
  const folder = mkdtempSync(join(tmpdir(), 'evstore-packed-'));
  const modules = join(folder, 'node_modules');
  cpSync(join(await installOnce(), 'node_modules'), modules, { recursive: true, verbatimSymlinks: true });

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
    program: join(modules, programPath),
    evstore: (args, options) => run('evstore', args, options),
    shell: (script, options) => run('bash', ['-euo', 'pipefail', '-c', script], options),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const programPath = 'evstore/dist/bin/evstore.js';

let installed: Promise<string> | undefined;

/** The program of the installation that all share, for what writes nothing beside it. */
export async function packedProgram(): Promise<string> {
  return join(await installOnce(), 'node_modules', programPath);
}

/** @returns the folder of the installation that all test processes of this run share */
export function installOnce(): Promise<string> {
  installed ??= installShared();
  return installed;
}

async function installShared(): Promise<string> {
  const scratch = process.env.EVSTORE_TEST_SCRATCH;
  if (scratch === undefined) throw new Error('EVSTORE_TEST_SCRATCH is not set: the global setup has not run');
  const folder = join(scratch, 'installed');
  const outcome = join(scratch, 'installed.outcome');
  try {
    mkdirSync(folder);
  } catch {
    while (!existsSync(outcome)) await sleep(100);
    const failure = readFileSync(outcome, 'utf8');
    if (failure !== '') throw new Error(`the package could not be packed: ${failure}`);
    return folder;
  }
  let failure = '';
  try {
    await install(folder);
  } catch (error) {
    failure = String(error);
    throw error;
  } finally {
    writeFileSync(`${outcome}.part`, failure);
    renameSync(`${outcome}.part`, outcome);
  }
  return folder;
}

/** What npm would not pack and the build does not read. */
const notPacked = ['.git', 'node_modules', 'dist', 'test', 'bench'];

async function install(folder: string): Promise<void> {
  const copy = join(folder, 'sources');
  cpSync(root, copy, { recursive: true, filter: (path) => !notPacked.some((name) => path === join(root, name)) });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'dir');
  const { stdout } = await execa('npm', ['pack', '--json', '--pack-destination', folder], { cwd: copy });
  const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf('[')));
  rmSync(copy, { recursive: true });
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '.bin'), { recursive: true });
  await execa('tar', ['-xzf', join(folder, filename), '-C', modules]);
  renameSync(join(modules, 'package'), join(modules, 'evstore'));
  const { dependencies, optionalDependencies } = readJson(join(modules, 'evstore/package.json'));
  copyDependencies(Object.keys({ ...dependencies, ...optionalDependencies }), modules);
  symlinkSync(`../${programPath}`, join(modules, '.bin/evstore'));
  await execa('chmod', ['-R', 'a+rX', folder]);
  await execa('chmod', ['+x', join(modules, programPath)]);
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Copies what these depend on, and so on, each to the place where npm puts it. */
function copyDependencies(names: readonly string[], modules: string): void {
  const { packages } = readJson(join(root, 'package-lock.json')) as { packages: Record<string, Manifest> };
  const copied = new Set<string>();
  for (const name of names) copyPackage(name, '');

  function copyPackage(name: string, dependent: string): void {
    const place = findPlace(name, dependent);
    if (place === undefined || copied.has(place)) return;
    copied.add(place);
    const from = join(root, place);
    if (!existsSync(from)) return;
    cpSync(from, join(dirname(modules), place), {
      recursive: true,
      // What is nested is copied if something needs it.
      filter: (path) => path !== join(from, 'node_modules'),
    });
    const { dependencies, optionalDependencies } = packages[place] ?? {};
    for (const next of Object.keys({ ...dependencies, ...optionalDependencies })) copyPackage(next, place);
  }

  /** As Node looks for it: beside the dependent, then further up. */
  function findPlace(name: string, dependent: string): string | undefined {
    const nested = `${dependent === '' ? '' : `${dependent}/`}node_modules/${name}`;
    if (Object.hasOwn(packages, nested)) return nested;
    return dependent === ''
      ? undefined
      : findPlace(name, dependent.replace(/(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/]+$/, ''));
  }
}

function readJson(file: string) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

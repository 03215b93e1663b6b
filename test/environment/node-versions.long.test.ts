/** Each version of Node.js that evstore supports, on both engines. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { allowMoreTime } from '../support/more-time.js';
import { type PackedPackage, packPackage } from '../support/package.js';
import type { PostgresServer } from '../support/postgres-server.js';
import { connectSqlite } from '../support/raw.js';
import { findNode, isRunning, type NodeVersion, versions } from './installed.js';
import { doMainJob, type Place } from './main-job.js';
import { describeRows, type Row } from './row.js';
import { notInstalled, startDurable, withNewDatabase } from './servers.js';

allowMoreTime('the main job is many processes');

let server: PostgresServer;
const packages: PackedPackage[] = [];
beforeAll(async () => {
  server = await startDurable({});
});
afterAll(async () => {
  await server.stop();
  for (const packed of packages) packed.remove();
});

/** The program under this version of Node.js, with the native module for it. */
async function programFor(
  folder: string | undefined,
  sqlite: string | undefined,
): Promise<Pick<Place, 'node' | 'program' | 'env'>> {
  if (folder === undefined) return {};
  const packed = await packPackage();
  packages.push(packed);
  const native = join(packed.folder, 'node_modules/better-sqlite3/build/Release/better_sqlite3.node');
  if (sqlite !== undefined) copyFileSync(sqlite, native);
  return { node: join(folder, 'node'), program: packed.program };
}

const rows = (Object.keys(versions.node) as NodeVersion[]).flatMap((version): readonly Row[] => {
  const isThis = isRunning(version);
  const node = isThis ? undefined : findNode(version);
  const lacks = isThis || node !== undefined ? undefined : notInstalled(`Node.js ${version}`);
  const lacksSqlite =
    lacks ??
    (isThis || node?.sqlite !== undefined ? undefined : `better-sqlite3 is not compiled for Node.js ${version}`);
  return [
    {
      name: `${version}, Postgres`,
      expected: 'the main job works',
      lacks,
      run: async () => {
        const program = await programFor(node?.folder, node?.sqlite);
        await withNewDatabase(server, '', (place) =>
          withNewDatabase(server, '', (copy) => doMainJob({ ...place, ...program, copyUrl: copy.url })),
        );
      },
    },
    {
      name: `${version}, SQLite`,
      expected: 'the main job works',
      lacks: lacksSqlite,
      run: async () => {
        const program = await programFor(node?.folder, node?.sqlite);
        const cwd = await doMainJob({ ...program, url: 'sqlite:store.db' });
        const raw = connectSqlite(join(cwd, 'store.db'));
        await raw.query('pragma integrity_check');
        await raw.close();
      },
    },
  ];
});

describeRows('Node.js', rows);

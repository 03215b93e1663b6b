/** Each version of Postgres that evstore supports, as its binaries come from npm. */
import { allowMoreTime } from '../support/more-time.js';
import { findPostgres, type PostgresVersion, versions } from './installed.js';
import { doMainJob } from './main-job.js';
import { describeRows } from './row.js';
import { notInstalled, startDurable, withNewDatabase } from './servers.js';

allowMoreTime('a server is started, and the main job is many processes');

describeRows(
  'Postgres',
  (Object.keys(versions.postgres) as PostgresVersion[]).map((version) => {
    const binaries = findPostgres(version);
    return {
      name: version,
      expected: 'the main job works',
      lacks: binaries === undefined ? notInstalled(`Postgres ${version}`) : undefined,
      run: async () => {
        const server = await startDurable({ binaries });
        try {
          await withNewDatabase(server, '', (place) => doMainJob(place));
        } finally {
          await server.stop();
        }
      },
    };
  }),
);

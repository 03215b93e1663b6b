/**
 * Does one thing to a SQLite store and kills itself at its n-th statement that writes. Prints `done` when it got through.
 * Arguments: path, `migrate`, `append` or `import`, n from 1, `before` or `after`, and the ids to append or import.
 */
import Sqlite from 'better-sqlite3';
import { openStoreAt } from '../../../src/store/open.js';

const [path = '', what = '', place = '', when = '', ...ids] = process.argv.slice(2);
let statements = 0;

const { exec, prepare } = Sqlite.prototype;
Sqlite.prototype.exec = function (this: Sqlite.Database, text: string) {
  return dying(() => exec.call(this, text));
};
Sqlite.prototype.prepare = function (this: Sqlite.Database, text: string) {
  const statement = prepare.call(this, text);
  const run = statement.run.bind(statement) as (...parameters: unknown[]) => Sqlite.RunResult;
  statement.run = (...parameters: unknown[]) => dying(() => run(...parameters));
  return statement;
} as typeof prepare;

const store = await openStoreAt(`sqlite:${path}`, { create: true });
if (what === 'migrate') await store.schema.migrate();
else {
  const events = ids.map((id) => ({ id, type: 'Written', schemaVersion: 1, data: '{}', metadata: '{}' }));
  if (what === 'append') await store.log.append('Order-1', events, 'none');
  else {
    const lines = events.map((event) => ({ ...event, streamId: 'Order-1' }));
    await store.log.importEvents(lines, { conflict: 'fail' });
  }
}
process.stdout.write(`done ${statements}\n`);
await store.close();

function dying<T>(run: () => T): T {
  statements += 1;
  const isHere = statements === Number(place);
  if (isHere && when === 'before') process.kill(process.pid, 'SIGKILL');
  const result = run();
  if (isHere && when === 'after') process.kill(process.pid, 'SIGKILL');
  return result;
}

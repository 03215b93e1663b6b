/** Makes the stores that are asked. */
import { createReadStream, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import Sqlite from 'better-sqlite3';
import { copyColumns } from '../data/files.js';
import { makeQuestionFiles } from '../data/questions.js';
import { runEvstore } from '../evstore.js';
import type { Place, PlacedStore } from '../place.js';
import type { Facts } from './list.js';

const code = fileURLToPath(new URL('../projections/questions/', import.meta.url));
const readers = ['sales_by_day', 'order_summary', 'payments'] as const;

/** The settings of a user who has code: read by each command, as in a project. */
export function writeConfig({ folder }: Pick<Place, 'folder'>): void {
  const files = readdirSync(code).map((name) => join(code, name));
  const [projections, sagas] = [false, true].map((isSaga) =>
    files.filter((path) => path.includes('chargebacks') === isSaga),
  );
  writeFileSync(join(folder, 'evstore.config.json'), JSON.stringify({ projections, sagas }));
}

/**
 * Each projection stops at the end of one part of the log: at a tenth, at the middle, and at the end.
 * Two events of payments are parked. A saga has come to its end, another program has read a third of the log.
 */
export async function fillForQuestions(
  place: Place,
  events: number,
  say: (line: string) => void,
): Promise<{ readonly store: PlacedStore; readonly facts: Facts }> {
  const store = await place.makeStore();
  const options = { url: store.url, folder: place.folder };
  await setDurable(place, store, false);
  for (const [part, path] of (await makeQuestionFiles(events)).entries()) {
    say(`${place.engine}: writing part ${part + 1} of ${events} events`);
    if (place.engine === 'postgres') await store.raw.query(`copy events (${copyColumns}) from '${path}'`);
    else await insertFast(store.path, path);
    await store.raw.query(place.engine === 'postgres' ? 'vacuum (analyze) events' : 'analyze');
    await store.settle();
    const name = readers[part] ?? '';
    say(`${place.engine}: running ${name}`);
    await runEvstore(['run', name, '--once', '--on-error', 'park'], options);
  }
  await runEvstore(['run', 'chargebacks', '--once', '--sagas'], options);
  await store.raw.query(
    `insert into subscription_checkpoints (subscription_id, last_position) values ('search-indexer', ${Math.floor(events / 3)})`,
  );
  await store.raw.query(
    `insert into snapshots (stream_id, stream_type, snapshot_data, version)
     select stream_id, stream_type, '{"events":14}', version from events
      where event_type = 'OrderClosed' and global_position % 50 = 0`,
  );
  await store.raw.query(place.engine === 'postgres' ? 'vacuum (analyze)' : 'analyze');
  await setDurable(place, store, true);
  await store.settle();
  return { store, facts: await findFacts(place, store, events) };
}

/** In one transaction, in memory as far as it fits, and without the triggers, as an import does. */
async function insertFast(path: string, rows: string): Promise<void> {
  const database = new Sqlite(path);
  database.pragma('synchronous = off');
  database.pragma('cache_size = -2000000');
  const triggers = database
    .prepare("select name, sql from sqlite_schema where type = 'trigger' and tbl_name = 'events'")
    .all() as { readonly name: string; readonly sql: string }[];
  database.exec('begin immediate');
  for (const { name } of triggers) database.exec(`drop trigger "${name}"`);
  const places = copyColumns.replaceAll(/\w+/g, '?');
  const insert = database.prepare(`insert into events (${copyColumns}) values (${places})`);
  for await (const line of createInterface({ input: createReadStream(rows) })) {
    const [id, stream, streamType, type, schema, data, metadata, version, time] = line.split('\t');
    // As evstore writes it.
    const createdAt = time?.replace('Z', '000Z');
    insert.run(id, stream, streamType, type, Number(schema), data, metadata, Number(version), createdAt);
  }
  for (const { sql } of triggers) database.exec(sql);
  database.exec('commit');
  database.close();
}

/** A store that is made need not survive a crash of the machine; one that is measured is as it usually is. */
async function setDurable({ engine }: Place, { raw }: PlacedStore, isDurable: boolean): Promise<void> {
  if (engine === 'sqlite') return;
  const setting = isDurable ? 'on' : 'off';
  await raw.query(`alter system set fsync = ${setting}`);
  await raw.query(`alter system set full_page_writes = ${setting}`);
  await raw.query(`alter system set max_wal_size = '${isDurable ? '1GB' : '8GB'}'`);
  await raw.query('select pg_reload_conf()');
}

export async function findFacts(
  { engine }: Pick<Place, 'engine'>,
  { raw }: Pick<PlacedStore, 'raw'>,
  events: number,
): Promise<Facts> {
  const [event] = await raw.query(
    `select global_position, lower(${engine === 'postgres' ? 'id::text' : 'id'}) as id, stream_id,
            metadata ->> 'correlationId' as correlation_id
       from events
      where global_position >= ${events / 2} and event_type = 'OrderSubmitted'
      order by global_position limit 1`,
  );
  const [checkpoint] = await raw.query(
    "select last_position from subscription_checkpoints where subscription_id = 'payments'",
  );
  const [payment] = await raw.query(
    `select stream_id from events
      where event_type = 'PaymentRequested' and global_position >= ${events / 2} order by global_position limit 1`,
  );
  const [last] = await raw.query(
    `select metadata ->> 'correlationId' as correlation_id
       from events where event_type = 'OrderClosed' order by global_position desc limit 1`,
  );
  const middle = Date.UTC(2026, 0, 31);
  return {
    events,
    position: Number(event?.global_position),
    id: String(event?.id),
    streamId: String(event?.stream_id),
    correlationId: String(event?.correlation_id),
    recent: String(last?.correlation_id),
    since: new Date(middle).toISOString(),
    until: new Date(middle + 3_600_000).toISOString(),
    reached: Number(checkpoint?.last_position),
    paymentId: String(payment?.stream_id),
  };
}

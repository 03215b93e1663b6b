/** A round on a file of its own, with another program that keeps it locked at times. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { newEventId } from '../../src/domain/uuid.js';
import { openStoreAt } from '../../src/store/open.js';
import type { Random } from '../support/random.js';
import { countFault, type Round, type RoundReport, runRound } from './round.js';

export async function soakSqlite(random: Random, durationMs: number): Promise<RoundReport> {
  const folder = mkdtempSync(join(tmpdir(), 'evstore-soak-'));
  const path = join(folder, 'store.db');
  const url = `sqlite:${path}`;
  const store = await openStoreAt(url, { create: true });
  try {
    await store.schema.migrate();
    const disturbed = await openStoreAt(url);
    const places = { url, disturbedUrl: url, store, disturbed };
    const report = await runRound('sqlite', random, durationMs, places, (round) => [
      insert(round, path, 'raw0'),
      insert(round, path, 'raw1'),
    ]);
    await disturbed.close();
    const database = new Database(path);
    const integrity = database.pragma('integrity_check', { simple: true });
    database.close();
    return integrity === 'ok' ? report : { ...report, findings: [...report.findings, `integrity: ${integrity}`] };
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Plain SQL that holds the lock for a while; some of it is given up. */
async function insert(round: Round, path: string, name: string): Promise<void> {
  const { random, history } = round;
  const database = new Database(path, { timeout: 0 });
  const version = database.prepare<[string], { n: number }>(
    'select coalesce(max(version), 0) + 1 as n from events where stream_id = ?',
  );
  const statement = database.prepare(
    `insert into events (id, stream_id, event_type, event_data, version) values (?, ?, 'Raw', '{}', ?)`,
  );
  try {
    while (!round.isOver()) {
      await sleep(random.below(20));
      try {
        database.exec('begin immediate');
      } catch {
        continue;
      }
      const ids = Array.from({ length: 1 + random.below(3) }, () => newEventId());
      const attempt = history.invoke(name, ids);
      for (const id of ids) {
        statement.run(id, name, version.get(name)?.n);
        await sleep(random.below(15));
      }
      const isGivenUp = random.below(4) === 0;
      database.exec(isGivenUp ? 'rollback' : 'commit');
      if (isGivenUp) history.fail(attempt);
      else history.succeed(attempt);
      countFault(round, 'locked');
    }
  } finally {
    database.close();
  }
}

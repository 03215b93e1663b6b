/** A round on a server of its own, behind a wire that is cut. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { newEventId } from '../../src/domain/uuid.js';
import { openStoreAt } from '../../src/store/open.js';
import { type PostgresServer, startPostgres } from '../support/postgres-server.js';
import type { Random } from '../support/random.js';
import { type Cut, startWireProxy, type WireProxy } from '../support/wire-proxy.js';
import { countFault, type Round, type RoundReport, runRound } from './round.js';

const cuts: readonly Cut[] = ['before', 'after', 'mid-reply'];

export async function soakPostgres(random: Random, durationMs: number): Promise<RoundReport> {
  const server = await startPostgres();
  const proxy = await startWireProxy(server.url);
  const store = await openStoreAt(server.url);
  const disturbed = await openStoreAt(proxy.url);
  try {
    await store.schema.migrate();
    const places = { url: server.url, disturbedUrl: proxy.url, store, disturbed };
    return await runRound('postgres', random, durationMs, places, (round) => [
      disturbWire(round, proxy),
      killBackends(round, server.url),
      restart(round, server),
      ...[0, 1, 2].map((lane) => insert(round, server.url, `raw${lane}`)),
    ]);
  } finally {
    await Promise.all([store.close(), disturbed.close()]);
    await proxy.close();
    await server.stop();
  }
}

async function disturbWire(round: Round, proxy: WireProxy): Promise<void> {
  const { random } = round;
  while (!round.isOver()) {
    await sleep(random.below(60));
    const kind = random.below(10);
    if (kind === 0) {
      proxy.isBlackHole = true;
      await sleep(random.below(100));
      proxy.isBlackHole = false;
      // What was swallowed never comes: whoever waits for it must be told.
      proxy.dropAll();
      countFault(round, 'black hole');
    } else if (kind === 1) {
      proxy.isClosed = true;
      proxy.dropAll();
      await sleep(random.below(300));
      proxy.isClosed = false;
      countFault(round, 'nobody there');
    } else {
      const cut = cuts[random.below(cuts.length)] ?? 'before';
      const place = random.below(12);
      proxy.cutWhen((_, index) => index >= place, cut);
      countFault(round, `cut ${cut}`);
    }
  }
}

async function killBackends(round: Round, url: string): Promise<void> {
  while (!round.isOver()) {
    await sleep(50 + round.random.below(200));
    await ask(url, async (client) => {
      await client.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where backend_type = 'client backend' and pid <> pg_backend_pid() order by random() limit 1`,
      );
      countFault(round, 'backend killed');
    });
  }
}

async function restart(round: Round, server: PostgresServer): Promise<void> {
  while (!round.isOver()) {
    await sleep(3_000 + round.random.below(4_000));
    const mode = round.random.below(2) === 0 ? 'fast' : 'immediate';
    await server.halt(mode);
    await sleep(round.random.below(300));
    await server.start();
    countFault(round, `restart ${mode}`);
  }
}

/** Plain SQL in transactions that take their time; some are given up, some lose their connection. */
async function insert(round: Round, url: string, name: string): Promise<void> {
  const { random, history } = round;
  while (!round.isOver()) {
    const ids = Array.from({ length: 1 + random.below(3) }, () => newEventId());
    const attempt = history.invoke(name, ids);
    let isDecided = false;
    await ask(url, async (client) => {
      await client.query('begin');
      for (const id of ids) {
        await client.query(
          `insert into events (id, stream_id, event_type, event_data, version)
           select $1, $2::text, 'Raw', '{}', coalesce(max(version), 0) + 1 from events where stream_id = $2::text`,
          [id, name],
        );
        await sleep(random.below(30));
      }
      const isGivenUp = random.below(4) === 0;
      isDecided = !isGivenUp;
      await client.query(isGivenUp ? 'rollback' : 'commit');
      if (isGivenUp) history.fail(attempt);
      else history.succeed(attempt);
      isDecided = true;
    });
    if (!isDecided && attempt.outcome === 'unknown') history.fail(attempt);
  }
}

/** Whatever ends the connection ends the work: the next time is another one. */
async function ask(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  try {
    await client.connect();
    await work(client);
  } catch (error) {
    const state = error instanceof Error && 'code' in error ? String(error.code) : '';
    const isLost = !/^[0-9A-Z]{5}$/.test(state) || /^(57P|08)/.test(state);
    if (!isLost) throw error;
    await sleep(20);
  } finally {
    await client.end().catch(() => {});
  }
}

/** What can happen to a server: restarts, killed backends, no space, no connections, deadlocks. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newEventId } from '../../src/domain/uuid.js';
import { openStoreAt } from '../../src/store/open.js';
import type { Store } from '../../src/store/store.js';
import { connectPostgres, forEachEngine, type Raw, withDatabase, withTestStore } from '../support/engines.js';
import { append, errorOf, failureOf, makeEvent, makeEvents, readAll, readStream } from '../support/events.js';
import { checkHistory, History } from '../support/history.js';
import { allowMoreTime } from '../support/more-time.js';
import { type PostgresServer, startPostgres } from '../support/postgres-server.js';
import { freshSeed, makeRandom } from '../support/random.js';
import { follow, persistent } from '../support/stress.js';
import { tamper } from '../support/tamper.js';
import { until } from '../support/wait.js';

allowMoreTime('servers are started, restarted and filled');

let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgres();
});

afterAll(() => server.stop());

async function makeStore(): Promise<{ url: string; store: Store; raw: Raw }> {
  const name = `faults_${newEventId().slice(-12)}`;
  const admin = await connectPostgres(server.url);
  await admin.query(`create database ${name}`);
  await admin.close();
  const url = withDatabase(server.url, name);
  const store = await openStoreAt(url);
  await store.schema.migrate();
  return { url, store, raw: await connectPostgres(url) };
}

/** Appends and imports as the store does by itself, until told to stop. Nothing may fail but for good reason. */
async function write(store: Store, name: string, history: History, isOver: () => boolean): Promise<void> {
  for (let round = 0; !isOver(); round++) {
    const streamId = round % 3 === 0 ? 'shared-1' : `${name}-${round % 5}`;
    const events = makeEvents(1 + (round % 3));
    const attempt = history.invoke(
      streamId,
      events.map(({ id }) => id),
    );
    if (round % 4 === 3) {
      const lines = events.map((event) => ({ ...event, streamId }));
      await store.log.importEvents(lines, { conflict: 'fail' });
      history.succeed(attempt);
    } else {
      const result = await store.log.append(streamId, events, 'any');
      history.succeed(attempt, result.deduplicated ? [] : result.events);
    }
    await sleep(1);
  }
}

async function disturb(store: Store, trouble: (history: History) => Promise<void>): Promise<History> {
  const history = new History();
  let isOver = false;
  let isWriting = true;
  const writing = Promise.all(['one', 'two', 'three'].map((name) => write(store, name, history, () => isOver)));
  const reading = follow('reader', persistent(store), history, () => isWriting);
  try {
    await Promise.race([trouble(history), Promise.all([writing, reading])]);
  } finally {
    isOver = true;
    await writing.finally(() => {
      isWriting = false;
    });
    await reading;
  }
  history.deliver('afterwards', await readAll(store));
  return history;
}

describe('F1: a server that restarts', () => {
  it('fast and immediate, under appends, imports and a reader: all go on by themselves', async () => {
    const { store, raw } = await makeStore();
    const history = await disturb(store, async ({ attempts }) => {
      // Three writers: after ten more attempts each of them has been answered.
      const someAppends = (count = attempts.length) => until(() => attempts.length > count + 10);
      for (const mode of ['fast', 'immediate', 'fast', 'immediate'] as const) {
        await someAppends();
        await server.halt(mode);
        await sleep(50);
        await server.start();
      }
      await someAppends();
    });
    expect(checkHistory(history)).toEqual([]);
    await raw.close();
    await store.close();
  });
});

describe('F2: a backend that is killed', () => {
  it('100 backends at random: all go on by themselves', async () => {
    const { store, raw } = await makeStore();
    const random = makeRandom(freshSeed());
    const history = await disturb(store, async () => {
      for (let killed = 0; killed < 100; ) {
        const backends = await raw.query(
          `select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
            and backend_type = 'client backend'`,
        );
        const victim = backends[random.below(Math.max(1, backends.length))];
        const [row] = victim ? await raw.query('select pg_terminate_backend($1) as done', [victim.pid]) : [];
        if (row?.done === true) killed += 1;
        await sleep(random.below(8));
      }
    });
    expect(checkHistory(history), `seed ${random.seed}`).toEqual([]);
    await raw.close();
    await store.close();
  });
});

describe('F6: a full disk under Postgres', () => {
  it('says so without trying for ever; nothing is half there, and it goes on when there is space', async (context) => {
    const { url, store, raw } = await makeStore();
    const place = mkdtempSync(join(tmpdir(), 'evstore-space-'));
    chmodSync(place, 0o755);
    const owner = statSync(server.data);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', place], { stdio: 'pipe' });
    } catch {
      rmSync(place, { recursive: true });
      return context.skip('this account may not mount a small disk');
    }
    try {
      chownSync(place, owner.uid, owner.gid);
      await raw.query(`create tablespace small location '${place}'`);
      await raw.query('alter table events set tablespace small');
      await append(store, 'Order-1');
      const events = makeEvents(4_000, () => ({ data: JSON.stringify(randomBytes(2_000).toString('hex')) }));
      const error = await errorOf('E_STORE_FULL', append(store, 'Big-1', events));
      expect(error.exitCode).toBe(74);
      expect(await readAll(store)).toHaveLength(1);
      execFileSync('mount', ['-o', 'remount,size=80m', place], { stdio: 'pipe' });
      expect((await append(store, 'Big-1', events, 'none')).version).toBe(4_000);
      expect(await readAll(store)).toHaveLength(4_001);
      await raw.close();
      await store.close();
      const admin = await connectPostgres(server.url);
      await admin.query(`drop database ${new URL(url).pathname.slice(1)} with (force)`);
      await admin.query('drop tablespace small');
      await admin.close();
    } finally {
      execFileSync('umount', ['-l', place], { stdio: 'pipe' });
      rmSync(place, { recursive: true });
    }
  });
});

/** A server counts a connection for a while after it was closed. */
async function connectWhenFree(url: string): Promise<Raw> {
  for (;;) {
    try {
      return await connectPostgres(url);
    } catch {
      await sleep(10);
    }
  }
}

describe('F16: too many connections', () => {
  it('waits for one to be free, and says so when none is', async () => {
    const { url, store, raw } = await makeStore();
    await raw.query(`create role crowd login; grant all on all tables in schema public to crowd;
      alter role crowd connection limit 1`);
    const crowded = new URL(url);
    crowded.username = 'crowd';
    const taken = await connectPostgres(crowded.href);
    const late = await openStoreAt(crowded.href);
    const waiting = append(late, 'Order-1');
    await sleep(120);
    await taken.close();
    expect((await waiting).version).toBe(1);
    await late.close();
    const again = await connectWhenFree(crowded.href);
    const turned = await openStoreAt(crowded.href);
    const error = await errorOf('E_CONNECT', turned.schema.status());
    expect(`${error.message} ${error.why}`).toMatch(/too many connections/);
    await turned.close();
    await again.close();
    await raw.close();
    await store.close();
  });
});

describe('A17: a deadlock or a serialization failure', () => {
  it.each(['40001', '40P01', '55P03'])('%s twice, then it goes through: once in the store', (state) =>
    withTestStore('postgres', async ({ store, raw }) => {
      await raw.query(
        `create sequence tries;
         create function refuse() returns trigger language plpgsql as $$ begin
           if nextval('public.tries') <= 2 then raise exception 'not now' using errcode = '${state}'; end if;
           return null;
         end $$;
         create trigger refuse after insert on events for each statement execute function refuse()`,
      );
      const result = await append(store, 'Order-1', makeEvents(2));
      expect(result).toMatchObject({ version: 2, deduplicated: false });
      expect(await readAll(store)).toHaveLength(2);
      await raw.query('alter sequence tries restart');
      const lines = [{ ...makeEvent(), streamId: 'Order-1' }];
      expect(await store.log.importEvents(lines, { conflict: 'fail' })).toMatchObject({ imported: 1 });
      expect(await raw.query('select nextval($1)', ['tries'])).toEqual([{ nextval: '4' }]);
    }),
  );

  it('a real deadlock with somebody who locks the other way round', () =>
    withTestStore('postgres', async (test) => {
      const event = makeEvent();
      const rival = await test.connect();
      await rival.query("set deadlock_timeout = '10s'; begin");
      await rival.query(
        `insert into events (id, stream_id, event_type, event_data, version)
         values ('${event.id}', 'Other-1', 'Raw', '{}', 1)`,
      );
      const appending = append(test.store, 'Order-1', [event]);
      await untilWaiting(test.raw);
      const locking = rival.query("select evstore_lock_stream('Order-1')");
      await locking;
      await rival.query('rollback');
      expect(await appending).toMatchObject({ version: 1, deduplicated: false });
      expect(await readAll(test.store)).toHaveLength(1);
    }));

  async function untilWaiting(raw: Raw): Promise<void> {
    const waiting = `select from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock' and application_name = 'evstore'`;
    while ((await raw.query(waiting)).length === 0) await sleep(5);
  }
});

describe('an append behind an open transaction on its stream', () => {
  it('does not claim to know when its time is over: it may still be written, and a rerun settles it', () =>
    withTestStore('postgres', async ({ store, connect }) => {
      const rival = await connect();
      await rival.query('begin');
      await rival.query(
        `insert into events (stream_id, event_type, event_data, version) values ('Order-1', 'Raw', '{}', 1)`,
      );
      const events = makeEvents(2);
      const error = await errorOf('E_OUTCOME_UNKNOWN', store.log.append('Order-1', events, 'any', { timeoutMs: 150 }));
      expect(error.details).toMatchObject({ ids: events.map(({ id }) => id) });
      await rival.query('rollback');
      expect(await append(store, 'Order-1', events)).toMatchObject({ version: 2 });
      expect((await readAll(store)).map(({ id }) => id)).toEqual(events.map(({ id }) => id));
    }));
});

describe('an append that never got a connection', () => {
  it('is no unknown outcome: nothing was sent', () =>
    withTestStore('postgres', async ({ url, connect }) => {
      const store = await openStoreAt(`${url}?connect_timeout=1`);
      await store.log.head();
      const rival = await connect();
      await rival.query('begin');
      await rival.query("select evstore_lock_stream('Order-1')");
      const waiting = Array.from({ length: 8 }, () => append(store, 'Order-1'));
      const late = store.log.append('Order-2', makeEvents(1), 'any', { timeoutMs: 900 });
      await errorOf('E_CONNECT', late);
      await rival.query('rollback');
      await Promise.all(waiting);
      expect((await readAll(store)).map(({ streamId }) => streamId)).toEqual(Array(8).fill('Order-1'));
      await store.close();
    }));
});

describe('A18: a stream at the last version there is', () => {
  forEachEngine((engine) => {
    it('a stream at the last version takes no more, and says so', () =>
      withTestStore(engine, async (test) => {
        const { store } = test;
        const last = Number.MAX_SAFE_INTEGER;
        await tamper(
          test,
          `insert into events (stream_id, event_type, event_data, version) values ('Full-1', 'Raw', '{}', ${last})`,
        );
        for (const refused of [
          () => append(store, 'Full-1'),
          () => append(store, 'Full-1', makeEvents(2), last),
          () => store.log.importEvents([{ ...makeEvent(), streamId: 'Full-1' }], { conflict: 'fail' }),
        ]) {
          const failure = await failureOf(refused());
          expect(failure).toMatchObject({ name: 'EvstoreError', code: 'E_INVALID_INPUT' });
        }
        expect((await readStream(store, 'Full-1')).map(({ version }) => version)).toEqual([last]);
        expect((await append(store, 'Other-1')).version).toBe(1);
      }));
  });
});

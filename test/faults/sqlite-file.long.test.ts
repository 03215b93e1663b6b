/** What can happen to a file: no space, no permission, damage, another writer, a kill at each statement. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/domain/errors.js';
import { newEventId } from '../../src/domain/uuid.js';
import { openStoreAt } from '../../src/store/open.js';
import type { Store } from '../../src/store/store.js';
import { type TestStore, withTestStore } from '../support/engines.js';
import { append, errorOf, failureOf, makeEvent, makeEvents, readAll } from '../support/events.js';
import { checkHistory, History } from '../support/history.js';
import { allowMoreTime } from '../support/more-time.js';
import { type Program, runProgram } from '../support/program.js';
import { freshSeed, makeRandom } from '../support/random.js';
import { recordWriter } from '../support/writers.js';

allowMoreTime('a process is killed at each statement of a migration');

const pathOf = ({ url }: TestStore) => url.slice('sqlite:'.length);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evstore-file-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function withStore<T>(path: string, work: (store: Store) => Promise<T>, create = true): Promise<T> {
  const store = await openStoreAt(`sqlite:${path}`, { create });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

async function integrity({ raw }: TestStore): Promise<unknown> {
  return (await raw.query('pragma integrity_check'))[0]?.integrity_check;
}

describe('killed at each statement', () => {
  it.each(['before', 'after'])(
    'F19: killed %s it, init leaves nothing or all, and the next run completes it',
    async (when) => {
      const versions = new Set<number>();
      for (let place = 1; ; place++) {
        const path = join(folder, `${place}.db`);
        const program = runProgram('test/faults/programs/kill-at.ts', [path, 'migrate', String(place), when]);
        const code = await program.ended;
        if (code === 0) break;
        expect(code, program.stderr).toBeNull();
        await withStore(path, async (store) => {
          const { version, latest } = await store.schema.status();
          versions.add(version);
          expect([0, latest]).toContain(version);
          await store.schema.migrate();
          await store.schema.assertGuards();
          await append(store, 'Order-1');
          expect(await readAll(store)).toHaveLength(1);
        });
      }
      expect(versions.size).toBe(2);
    },
  );

  it.each(['before', 'after'])(
    'A20: killed %s it, an append was not said to succeed before its commit',
    async (when) => {
      const stored = new Set<number>();
      for (let place = 1; ; place++) {
        const path = join(folder, `${place}.db`);
        await withStore(path, (store) => store.schema.migrate());
        const ids = [newEventId(), newEventId()];
        const args = [path, 'append', String(place), when, ...ids];
        const program = runProgram('test/faults/programs/kill-at.ts', args);
        if ((await program.ended) === 0) break;
        expect(program.lines).toEqual([]);
        await withStore(path, async (store) => {
          const before = await readAll(store);
          stored.add(before.length);
          const events = ids.map((id) => makeEvent({ id, type: 'Written', data: '{}' }));
          const again = await append(store, 'Order-1', events, 'none');
          expect(again.deduplicated).toBe(before.length > 0);
          expect((await readAll(store)).map(({ id }) => id)).toEqual(ids);
        });
      }
      expect([...stored]).toEqual(when === 'after' ? [0, 2] : [0]);
    },
  );

  it('an import, while the guards of inserts are off and at each end of that: they are there', async () => {
    const ids = Array.from({ length: 101 }, () => newEventId());
    const importTo = async (place: number) => {
      const path = join(folder, `${place}.db`);
      await withStore(path, (store) => store.schema.migrate());
      const program = runProgram('test/faults/programs/kill-at.ts', [path, 'import', String(place), 'after', ...ids]);
      return { path, code: await program.ended, lines: program.lines };
    };
    const { lines } = await importTo(0);
    const statements = Number(lines[0]?.split(' ')[1]);
    // begin, drop three, an insert for each id, create three, commit
    expect(statements).toBe(ids.length + 8);
    for (const place of [2, 3, 4, 50, statements - 3, statements - 2, statements - 1, statements]) {
      const { path, code } = await importTo(place);
      expect(code).toBeNull();
      await withStore(path, async (store) => {
        await store.schema.assertGuards();
        expect(await readAll(store)).toHaveLength(place === statements ? ids.length : 0);
      });
    }
  });
});

describe('F7: a full disk under SQLite', () => {
  async function expectFull(test: TestStore, code: ErrorCode, command: readonly string[]): Promise<void> {
    const writer = runProgram('test/faults/programs/writer.ts', [test.url, 'full'], { command });
    expect(await writer.ended).not.toBe(0);
    expect(writer.stderr).toContain(`code: '${code}'`);
    const history = new History();
    recordWriter(history, writer.lines);
    history.deliver('reader', await readAll(test.store));
    expect(checkHistory(history)).toEqual([]);
    expect(history.attempts.length).toBeGreaterThan(10);
    expect(await integrity(test)).toBe('ok');
  }

  it('a limit on the size of files', () =>
    withTestStore('sqlite', async (test) => {
      // To SQLite this is no full disk, but a write that failed.
      await expectFull(test, 'E_CONNECT', ['prlimit', '--fsize=600000']);
      await append(test.store, 'Order-1');
      await test.store.schema.assertGuards();
    }));

  it('a disk without space, and with space again', async (context) => {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'pipe' });
    } catch {
      return context.skip('this account may not mount a small disk');
    }
    try {
      const path = join(folder, 'store.db');
      const url = `sqlite:${path}`;
      await withTestStore('sqlite', async (test) => {
        copyFileSync(pathOf(test), path);
        const store = await openStoreAt(url);
        await expectFull({ ...test, url, store }, 'E_STORE_FULL', []);
        await errorOf('E_STORE_FULL', append(store, 'big-1', makeEvents(2_000)));
        execFileSync('mount', ['-o', 'remount,size=20m', folder], { stdio: 'pipe' });
        await append(store, 'big-1', makeEvents(2_000), 'none');
        await store.schema.assertGuards();
        await store.close();
      });
    } finally {
      execFileSync('umount', [folder], { stdio: 'pipe' });
    }
  });
});

describe('F8: a snapshot that is out of date never shows', () => {
  it('never surfaces: appends and imports wait for a writer that comes again and again', () =>
    withTestStore('sqlite', async (test) => {
      const rival = await test.connect();
      let isOver = false;
      const rivalry = (async () => {
        for (let version = 1; !isOver; version++) {
          await rival.query('begin immediate');
          await rival.query(
            `insert into events (stream_id, event_type, event_data, version) values ('rival-1', 'Raw', '{}', ${version})`,
          );
          await sleep(4);
          await rival.query('commit');
          await sleep(1);
        }
      })();
      const other = await test.open();
      for (let n = 1; n <= 40; n++) {
        // One that has just read, and so has a snapshot to lose.
        await readAll(test.store, { after: n });
        await append(test.store, 'Order-1', makeEvents(2), n === 1 ? 'none' : 2 * (n - 1));
        await other.log.importEvents([{ ...makeEvent(), streamId: 'Import-1' }], { conflict: 'fail' });
      }
      isOver = true;
      await rivalry;
      const versions = (await readAll(test.store, { streamId: 'Order-1' })).map(({ version }) => version);
      expect(versions).toEqual(Array.from({ length: 80 }, (_, index) => index + 1));
    }));

  it('a writer that does not end is told about, in time', () =>
    withTestStore('sqlite', async (test) => {
      const rival = await test.connect();
      await rival.query('begin immediate');
      const error = await errorOf(
        'E_TIMEOUT',
        test.store.log.append('Order-1', [makeEvent()], 'any', { timeoutMs: 100 }),
      );
      expect(error.message).toMatch(/locked/);
      expect(await readAll(test.store)).toEqual([]);
      await rival.query('rollback');
      await append(test.store, 'Order-1');
    }));
});

describe('F9: a store that is read only', () => {
  const nobody = 65_534;

  /** The store of a test at a place where another account runs the command line on it. */
  async function asSomebodyElse(
    modes: { readonly file: number; readonly folder: number },
    work: (run: (...args: string[]) => Promise<Program>, path: string) => Promise<void>,
  ): Promise<void> {
    await withTestStore('sqlite', async (test) => {
      await append(test.store, 'Order-1', makeEvents(3));
      await test.store.close();
      await test.raw.close();
      const path = join(folder, 'theirs', 'store.db');
      mkdirSync(join(folder, 'theirs'));
      copyFileSync(pathOf(test), path);
      chmodSync(folder, 0o755);
      chmodSync(path, modes.file);
      chmodSync(join(folder, 'theirs'), modes.folder);
      await work(async (...args) => {
        const account = { uid: nobody, gid: nobody, cwd: '/' };
        const program = runProgram('bin/evstore.ts', [...args, '--store', `sqlite:${path}`], account);
        await program.ended;
        return program;
      }, path);
      await withStore(path, async (store) => expect(await readAll(store)).toHaveLength(3), false);
    });
  }

  const one = ['append', 'Order-1', '--type', 'T', '--data', '{}'];
  const described = describe.skipIf(process.getuid?.() !== 0);

  described('by another account', () => {
    it('a file that may be read: reading works, writing says so', () =>
      asSomebodyElse({ file: 0o644, folder: 0o777 }, async (run) => {
        const reading = await run('read');
        expect(await reading.ended, reading.stderr).toBe(0);
        expect(reading.lines).toHaveLength(3);
        const writing = await run(...one);
        expect(await writing.ended).toBe(3);
        expect(writing.stderr).toContain('E_READ_ONLY');
      }));

    it('a folder that may only be read: reading works and says that it reads a copy; writing says why not', () =>
      asSomebodyElse({ file: 0o644, folder: 0o755 }, async (run) => {
        const reading = await run('read');
        expect(await reading.ended, reading.stderr).toBe(0);
        expect(reading.lines).toHaveLength(3);
        expect(reading.stderr).toMatch(/folder.*read-only: reading a copy in memory/);
        const writing = await run(...one);
        expect(await writing.ended).toBe(3);
        expect(writing.stderr).toMatch(/folder is read-only.*E_READ_ONLY/);
      }));

    it('a file that may not be read: names it', () =>
      asSomebodyElse({ file: 0o600, folder: 0o755 }, async (run, path) => {
        const reading = await run('read');
        expect(await reading.ended).toBe(3);
        expect(reading.stderr).toContain(path);
      }));
  });
});

describe('F10: a file that is damaged', () => {
  it('random pages overwritten: what is read is right, or the damage is named', () =>
    withTestStore('sqlite', async (test) => {
      const { store, raw } = test;
      for (let n = 0; n < 40; n++) await append(store, `Order-${n % 7}`, makeEvents(20));
      const whole = await readAll(store);
      await raw.query('pragma wal_checkpoint(truncate)');
      const bytes = readFileSync(pathOf(test));
      const random = makeRandom(freshSeed());
      const outcomes = new Set<string>();
      for (let round = 0; round < 40; round++) {
        const path = join(folder, `${round}.db`);
        const page = random.below(bytes.length / 4_096);
        writeFileSync(path, Buffer.from(bytes).fill(random.below(256), page * 4_096, (page + 1) * 4_096));
        const damaged = readFileSync(path);
        const reading = withStore(path, async (broken) => {
          await broken.schema.assertReady();
          return readAll(broken);
        });
        const failure = await failureOf(reading.then((events) => expect(events).toEqual(whole)));
        outcomes.add(failure?.code ?? 'read');
        if (failure !== undefined) {
          const facts = `seed ${random.seed}, page ${page}: ${failure.stack}`;
          // A page of zeros at the front is an empty file to SQLite.
          expect(['E_CORRUPT', 'E_NO_SCHEMA'], facts).toContain(failure.code);
          expect(failure.message).toContain(path);
        }
        expect(readFileSync(path).equals(damaged)).toBe(true);
      }
      expect([...outcomes]).toContain('E_CORRUPT');
    }));

  it('a write-ahead log cut short: what is left is a prefix of what was, and goes on', () =>
    withTestStore('sqlite', async (test) => {
      for (let n = 0; n < 30; n++) await append(test.store, 'Order-1', makeEvents(2));
      const whole = await readAll(test.store);
      const random = makeRandom(freshSeed());
      const log = readFileSync(`${pathOf(test)}-wal`);
      for (let round = 0; round < 10; round++) {
        const path = join(folder, `${round}.db`);
        copyFileSync(pathOf(test), path);
        writeFileSync(`${path}-wal`, log);
        truncateSync(`${path}-wal`, random.below(log.length));
        await withStore(path, async (store) => {
          const left = await readAll(store);
          expect(left, `seed ${random.seed}`).toEqual(whole.slice(0, left.length));
          expect(left.length % 2).toBe(0);
          await store.schema.assertGuards();
          expect((await append(store, 'Order-1')).version).toBe(left.length + 1);
        });
      }
    }));
});

describe('H22: a path that is no plain file', () => {
  const initAt = (path: string) => withStore(path, async (store) => void (await store.schema.migrate()));

  it('a store is used through a link, and never made through one', async () => {
    const [real, link, nothing] = [join(folder, 'real.db'), join(folder, 'link.db'), join(folder, 'nothing.db')];
    await initAt(real);
    symlinkSync(real, link);
    await withStore(link, (store) => append(store, 'Order-1'), false);
    await withStore(real, async (store) => expect(await readAll(store)).toHaveLength(1), false);
    symlinkSync(join(folder, 'elsewhere.db'), nothing);
    await errorOf('E_CONFIG', initAt(nothing));
    await errorOf('E_NO_SCHEMA', withStore(nothing, readAll, false));
  });

  it('a pipe, a device, a folder and a path through a file are refused, at once', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    for (const path of [pipe, '/dev/null', '/dev/zero', '/dev/stdin', folder]) {
      await errorOf('E_CONFIG', initAt(path));
      await errorOf('E_CONFIG', withStore(path, readAll, false));
    }
    writeFileSync(join(folder, 'file'), 'text');
    for (const path of [join(folder, 'file/store.db'), join(folder, 'missing/store.db')]) {
      const error = await failureOf(initAt(path));
      expect(error, error?.stack).toMatchObject({ name: 'EvstoreError', exitCode: expect.not.toBeOneOf([0, 70]) });
    }
  });
});

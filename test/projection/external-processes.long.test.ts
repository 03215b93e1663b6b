/** External projections in processes that are killed, beside a process that searches all the time. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/store/store.js';
import { forEachEngine, type TestStore, withTestStore } from '../support/engines.js';
import { append, makeEvent } from '../support/events.js';
import { allowMoreTime } from '../support/more-time.js';
import { type Program, runProgram } from '../support/program.js';
import { positionOf } from '../support/read-models.js';

allowMoreTime('several runs and rebuilds as processes, one after the other');

/** Full-text search as the template has it, in one plain object; DIE names the moment at which the process is killed. */
const source = `import Database from 'better-sqlite3';

const open = () => {
  const database = new Database(process.env.SEARCH_DB);
  database.pragma('journal_mode = wal');
  return database;
};
const die = (moment) => process.env.DIE === moment && process.kill(process.pid, 'SIGKILL');

export default {
  name: 'notes',
  version: Number(process.env.VERSION ?? 1),
  types: ['NoteAdded'],
  open: ({ name, isNew }) => {
    const database = open();
    if (isNew) {
      database.exec('drop table if exists ' + name);
      database.exec('create virtual table ' + name + ' using fts5 (stream_id unindexed, words)');
    }
    return database;
  },
  write: (database, { events, to }, { name }) => {
    const put = database.prepare('insert or replace into ' + name + ' (rowid, stream_id, words) values (?, ?, ?)');
    database.transaction(() => {
      for (const { globalPosition, streamId, data } of events) put.run(globalPosition, streamId, data.words);
    }).immediate();
    if (to >= Number(process.env.DIE_FROM ?? 0)) die('write');
  },
  promote: (database, { name }, previous) => {
    database.transaction(() => {
      database.exec('drop view if exists notes');
      database.exec('create view notes as select rowid as position, stream_id, words from ' + name);
    }).immediate();
    if (previous !== null) die('promote');
  },
  drop: ({ name }) => {
    const database = open();
    database.exec('drop table if exists ' + name);
    database.close();
  },
  count: (database, { name }) => database.prepare('select count(*) from ' + name).pluck().get(),
};
`;

/** Searches until its input ends, then prints what it saw: how often, the fewest hits in a row of rising ones, errors. */
const searcher = `import Database from 'better-sqlite3';

let searches = 0, most = 0, drops = [], errors = [], isOver = false;
process.stdin.on('end', () => { isOver = true; }).resume();
const database = new Database(process.env.SEARCH_DB, { readonly: true, timeout: 5000 });
const look = () => {
  try {
    const hits = database.prepare("select count(*) from notes where words match 'ada'").pluck().get();
    if (hits < most) drops.push([most, hits]);
    most = Math.max(most, hits);
    searches += 1;
    if (searches === 1 || searches === 101) console.log('searching');
  } catch (error) { errors.push(error.message); }
  if (!isOver) return setTimeout(look, 1);
  console.log(JSON.stringify({ searches, most, drops, errors }));
};
look();
`;

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evstore-external-'));
  mkdirSync(join(folder, 'projections'));
  symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(folder, 'node_modules'), 'dir');
  writeFileSync(join(folder, 'projections/notes.mjs'), source);
  writeFileSync(join(folder, 'searcher.mjs'), searcher);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function environment(test: TestStore, env: Record<string, string>): NodeJS.ProcessEnv {
  const SEARCH_DB = join(folder, 'search.db');
  return { PATH: process.env.PATH, HOME: folder, EVSTORE_URL: test.url, SEARCH_DB, ...env };
}

function evstore(test: TestStore, args: readonly string[], env: Record<string, string> = {}): Program {
  return runProgram('bin/evstore.ts', args, { cwd: folder, env: environment(test, env) });
}

async function succeed(program: Program): Promise<string> {
  expect(await program.ended, program.stderr).toBe(0);
  return program.lines.join('\n');
}

async function dies(program: Program): Promise<void> {
  await program.ended;
  expect(program.process.signalCode, program.stderr).toBe('SIGKILL');
}

async function addNotes(store: Store, from: number, to: number): Promise<void> {
  for (let index = from; index <= to; index += 1) {
    await append(store, `Note-${index % 7}`, [makeEvent({ type: 'NoteAdded', data: `{"words":"ada ${index}"}` })]);
  }
}

/** The lease of a killed process runs out by itself; the test does not wait for it. */
async function freeLeases({ raw }: TestStore): Promise<void> {
  await raw.query('update subscription_checkpoints set lease_expires_at = null, owner = null');
  await raw.query('update evstore_rebuilds set lease_expires_at = null, owner = null');
}

/** Positions that readers find; every one of the log's, each once, when all went well. */
function found(): readonly unknown[] {
  const database = new Database(join(folder, 'search.db'), { readonly: true });
  try {
    return database.prepare("select position from notes where words match 'ada' order by position").pluck().all();
  } finally {
    database.close();
  }
}

function targets(): readonly unknown[] {
  const database = new Database(join(folder, 'search.db'), { readonly: true });
  try {
    return database.prepare("select name from pragma_table_list where type = 'virtual' order by name").pluck().all();
  } finally {
    database.close();
  }
}

const upTo = (last: number): readonly number[] => Array.from({ length: last }, (_, index) => index + 1);

forEachEngine((engine) => {
  describe('an external projection in a process', () => {
    it('killed between the write and the checkpoint, it writes the batch again, and nothing is there twice', async () => {
      await withTestStore(engine, async (test) => {
        await addNotes(test.store, 1, 60);
        for (const from of [0, 25, 50]) {
          await dies(evstore(test, ['run', '--once', '--batch-size', '10'], { DIE: 'write', DIE_FROM: String(from) }));
          const position = (await positionOf(test.store, 'notes')) ?? 0;
          expect(found().length).toBe(position + 10);
          await freeLeases(test);
        }
        await succeed(evstore(test, ['run', '--once']));
        expect(found()).toEqual(upTo(60));
        expect(await positionOf(test.store, 'notes')).toBe(60);
      });
    });

    it('rebuilt and swapped beside a search that never stops: never missing, empty, or half filled', async () => {
      await withTestStore(engine, async (test) => {
        await addNotes(test.store, 1, 300);
        await succeed(evstore(test, ['run', '--once']));
        const env = environment(test, {});
        const searching = runProgram('bin/evstore.ts', [], {
          cwd: folder,
          env,
          command: [process.execPath, 'searcher.mjs'],
        });
        await searching.printed(1);
        for (const version of ['2', '3']) {
          const running = evstore(test, ['run'], { VERSION: String(Number(version) - 1) });
          const writing = addNotes(await test.open(), Number(version) * 100 + 101, Number(version) * 100 + 200);
          const rebuilt = evstore(test, ['rebuild', 'notes', '--batch-size', '20', '--json'], { VERSION: version });
          expect(JSON.parse(await succeed(rebuilt))).toMatchObject({ rebuilds: [{ outcome: 'swapped' }] });
          await writing;
          await running.kill('SIGTERM');
          await succeed(evstore(test, ['run', '--once'], { VERSION: version }));
        }
        const rolled = evstore(test, ['rollback', 'notes', '--yes'], { VERSION: '2' });
        await succeed(rolled);
        await searching.printed(2);
        searching.process.stdin.end();
        await searching.ended;
        const seen = JSON.parse(searching.lines.at(-1) ?? '{}');
        expect(seen).toMatchObject({ most: 500, drops: [], errors: [] });
        expect(seen.searches).toBeGreaterThan(100);
        expect(found()).toEqual(upTo(500));
      });
    });

    it('killed between promote and the journal, the swap is resumed; rolled back, dropped by its own code only', async () => {
      await withTestStore(engine, async (test) => {
        await addNotes(test.store, 1, 40);
        await succeed(evstore(test, ['run', '--once']));
        await dies(evstore(test, ['rebuild', 'notes'], { VERSION: '2', DIE: 'promote' }));
        expect(found()).toEqual(upTo(40));
        const [record] = await test.store.projections.list();
        expect(record).toMatchObject({ version: 1, target: 'notes__v1' });
        await freeLeases(test);
        await addNotes(test.store, 41, 50);
        await succeed(evstore(test, ['rebuild', 'notes', '--resume'], { VERSION: '2' }));
        expect(found()).toEqual(upTo(50));
        await succeed(evstore(test, ['rollback', 'notes', '--yes'], { VERSION: '1' }));
        expect(found()).toEqual(upTo(50));
        await succeed(evstore(test, ['swap', 'notes'], { VERSION: '2' }));
        const [swapped] = await test.store.projections.rebuilds('notes');
        expect(targets()).toEqual(['notes__v1', swapped?.target]);
        const withoutCode = evstore(test, ['gc', '--now', '--yes', '--projections', 'elsewhere/*.mjs']);
        expect(await withoutCode.ended).toBe(6);
        expect(withoutCode.stderr).toContain('the code of projection notes is not loaded');
        expect((await test.store.projections.rebuilds('notes'))[0]?.state).toBe('swapped');
        const dropped = await succeed(evstore(test, ['gc', '--now', '--yes', '--json'], { VERSION: '2' }));
        expect(JSON.parse(dropped)).toMatchObject({ dropped: [{ tables: ['notes__v1'] }], kept: 0 });
        expect(targets()).toEqual([swapped?.target]);
        expect(found()).toEqual(upTo(50));
        const listed = await succeed(evstore(test, ['projections', '--json'], { VERSION: '2' }));
        expect(JSON.parse(listed).projections).toMatchObject([{ name: 'notes', state: 'current', tables: [] }]);
        await succeed(evstore(test, ['lag', '--max-lag', '0']));
      });
    });
  });
});

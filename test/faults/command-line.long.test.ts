/** The command line as its own process, under what happens around it: restarts, deaf readers, endless lines. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { newEventId } from '../../src/domain/uuid.js';
import { openStoreAt } from '../../src/store/open.js';
import type { Engine } from '../../src/store/store.js';
import { compileProgram } from '../support/compile.js';
import { connectPostgres, engines, forEachEngine, withDatabase, withTestStore } from '../support/engines.js';
import { append, makeEvent, makeEvents, readAll } from '../support/events.js';
import { allowMoreTime } from '../support/more-time.js';
import { startPostgres } from '../support/postgres-server.js';
import { type Program, runProgram } from '../support/program.js';
import { freshSeed, makeRandom } from '../support/random.js';
import { until } from '../support/wait.js';

allowMoreTime('servers restart and imports are killed until they are through');

const evstore = (args: readonly string[]): Program => runProgram('bin/evstore.ts', args);
const idOf = (line: string): string => JSON.parse(line).id;
/** What Node, the drivers and a few batches take, and some more. */
const boundedKb = 300_000;

/** The most memory a process has had, in kilobytes; 0 when it is gone. */
function peakMemory(pid: number | undefined): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

describe('F1: a server that restarts', () => {
  it('a tail and an import go on: nothing missed, nothing twice, one line on each change', async () => {
    const server = await startPostgres();
    const programs: Program[] = [];
    try {
      const admin = await connectPostgres(server.url);
      await admin.query('create database shop');
      await admin.close();
      const url = withDatabase(server.url, 'shop');
      const store = await openStoreAt(url);
      await store.schema.migrate();
      const tail = evstore(['tail', '--from', 'start', '--store', url]);
      const importing = evstore(['import', '-', '--batch-size', '7', '--store', url]);
      programs.push(tail, importing);
      const ids: string[] = [];
      const restarts = ['fast', 'immediate'] as const;
      for (const mode of [...restarts, undefined]) {
        for (let n = 0; n < 50; n++) {
          const line = { id: newEventId(), streamId: `Order-${n % 5}`, type: 'Imported', data: { n } };
          ids.push(line.id);
          importing.process.stdin.write(`${JSON.stringify(line)}\n`);
        }
        ids.push(...(await append(store, 'Order-1', makeEvents(3))).events.map(({ id }) => id));
        // Both have found their store: what follows must not put them off.
        while (!tail.lines.some((line) => line.includes('"Imported"'))) await tail.printed(tail.lines.length + 1);
        if (mode === undefined) break;
        await server.halt(mode);
        await sleep(400);
        await server.start();
      }
      importing.process.stdin.end();
      expect(await importing.ended, importing.stderr).toBe(0);
      const stored = await readAll(store);
      await tail.printed(stored.length);
      tail.process.kill('SIGTERM');
      await tail.ended;
      expect(tail.lines.map(idOf)).toEqual(stored.map(({ id }) => id));
      expect(stored.map(({ id }) => id).sort()).toEqual([...ids].sort());
      const changes = tail.stderr.match(/trying again from position|connected again/g) ?? [];
      expect(changes.length).toBeGreaterThan(0);
      expect(changes.length).toBeLessThanOrEqual(2 * restarts.length);
      expect(changes).toEqual(changes.map((_, n) => (n % 2 === 0 ? 'trying again from position' : 'connected again')));
      await store.close();
    } finally {
      for (const program of programs) program.process.kill('SIGKILL');
      await server.stop();
    }
  });
});

describe('F1: a server that is away when commands start', () => {
  it('append and tail wait for it; a run that was there before continues', async () => {
    const server = await startPostgres();
    const folder = mkdtempSync(join(tmpdir(), 'evstore-restart-'));
    mkdirSync(join(folder, 'projections'));
    writeFileSync(
      join(folder, 'projections/orders.mjs'),
      `export default { name: 'orders', version: 1, table: { columns: { id: 'text', n: 'bigint' }, key: ['id'] },
        on: { Counted: (row, event) => ({ id: event.streamId, n: Number(row?.n ?? 0) + 1 }) } };`,
    );
    const programs: Program[] = [];
    const start = (...argv: string[]) => {
      const program = runProgram('bin/evstore.ts', [...argv, '--store', server.url], { cwd: folder });
      programs.push(program);
      return program;
    };
    try {
      const store = await openStoreAt(server.url);
      await store.schema.migrate();
      await append(store, 'Order-1', [makeEvent({ type: 'Counted' })], 'none');
      const run = start('run', 'orders', '--projections', 'projections/*.mjs');
      const raw = async () => {
        const connection = await connectPostgres(server.url);
        const rows = await connection.query("select n from orders where id = 'Order-1'").catch(() => []);
        await connection.close();
        return Number(rows[0]?.n ?? 0);
      };
      await until(
        async () => (await raw()) === 1,
        () => `the first row: ${run.stderr}`,
      );
      await server.halt('fast');
      const appends = [1, 2, 3].map(() => start('append', 'Order-1', '--type', 'Counted', '--timeout', '60s'));
      const tail = start('tail', '--from', 'start', '--count', '4', '--timeout', '60s');
      for (const program of [...appends, tail]) {
        await until(
          () => program.stderr.includes('waiting for the database'),
          () => `a wait: ${program.stderr}`,
        );
      }
      const starting = server.start();
      const late = start('append', 'Order-1', '--type', 'Counted', '--timeout', '60s');
      await starting;
      for (const program of [...appends, tail, late]) expect(await program.ended, program.stderr).toBe(0);
      expect(tail.lines).toHaveLength(4);
      await until(
        async () => (await raw()) === 5,
        () => `five events in the row: ${run.stderr}`,
      );
      expect(await readAll(store)).toHaveLength(5);
      await store.close();
    } finally {
      for (const program of programs) await program.kill();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('F11: an import that is killed', () => {
  const random = makeRandom(freshSeed());
  const makeLines = (count: number) =>
    Array.from({ length: count }, (_, n) => ({
      ...(n % 2 === 0 && { id: newEventId() }),
      streamId: `Order-${random.below(50)}`,
      type: 'Imported',
      data: { n },
    }));

  const cases: readonly { engine: Engine; args: readonly string[]; lines: number; step: number; kills: number }[] = [
    ...engines.map((engine) => ({ engine, args: ['--batch-size', '100'], lines: 6_000, step: 100, kills: 3 })),
    // What half a second takes is one transaction then.
    { engine: 'sqlite', args: [], lines: 150_000, step: 500, kills: 1 },
  ];
  it.each(cases)('and run again, as often as it takes, has each line once and in order: $engine $args', (each) =>
    withTestStore(each.engine, async ({ url, store }) => {
      const folder = mkdtempSync(join(tmpdir(), 'evstore-import-'));
      const file = join(folder, 'events.ndjson');
      const made = makeLines(each.lines);
      writeFileSync(file, made.map((line) => `${JSON.stringify(line)}\n`).join(''));
      const args = ['import', file, ...each.args, '--store', url];
      try {
        let kills = 0;
        for (let isDone = false; !isDone; ) {
          const before = (await store.log.head()).head;
          const program = evstore(args);
          // On a slow machine each run gets less far; after so many kills one may end.
          const beyond = kills < each.kills + 5 ? before + each.step * random.below(20) : Number.POSITIVE_INFINITY;
          while (program.process.exitCode === null && (await store.log.head()).head <= beyond) await sleep(2);
          program.process.kill('SIGKILL');
          isDone = (await program.ended) === 0;
          if (!isDone) kills += 1;
        }
        expect(kills).toBeGreaterThanOrEqual(each.kills);
        // What is known already uses up no positions.
        expect((await store.log.head()).head).toBeLessThan(each.lines + each.step * (kills + 1));
        const stored = await readAll(store);
        expect(stored.map(({ data }) => JSON.parse(data).n)).toEqual(made.map(({ data }) => data.n));
        expect(stored.map(({ streamId }) => streamId)).toEqual(made.map(({ streamId }) => streamId));
        const again = evstore(args);
        expect(await again.ended).toBe(0);
        expect(await readAll(store)).toEqual(stored);
      } finally {
        rmSync(folder, { recursive: true });
      }
    }),
  );
});

describe('F14: a line without an end', () => {
  const megabyte = Buffer.alloc(1 << 20, 'x');

  forEachEngine((engine) => {
    it.each([
      ['import', '-'],
      ['append', 'Order-1', '--from', '-'],
    ])('%s: a line of 1 GB is refused at the limit, in bounded memory', (...args) =>
      withTestStore(engine, async ({ url, store }) => {
        const program = evstore([...args, '--store', url]);
        let isOver = false;
        void program.ended.then(() => {
          isOver = true;
        });
        program.process.stdin.write('{"streamId":"Order-1","type":"T","data":"');
        let peak = 0;
        let written = 0;
        while (written < 1 << 10 && !isOver) {
          if (!program.process.stdin.write(megabyte)) {
            await Promise.race([once(program.process.stdin, 'drain').catch(() => {}), program.ended]);
          }
          peak = Math.max(peak, peakMemory(program.process.pid));
          written += 1;
        }
        program.process.stdin.end('"}\n');
        expect(await program.ended).toBe(2);
        expect(program.stderr).toMatch(/line 1.*E_INVALID_INPUT/s);
        expect(peak).toBeGreaterThan(0);
        expect(peak).toBeLessThan(boundedKb);
        expect(await readAll(store)).toEqual([]);
      }),
    );
  });
});

describe('H26: input of any size takes constant memory', () => {
  it('a small file that unpacks to a line without end is refused at the limit, in bounded memory', () =>
    withTestStore('sqlite', async ({ url, store }) => {
      const folder = mkdtempSync(join(tmpdir(), 'evstore-bomb-'));
      const file = join(folder, 'bomb.ndjson.gz');
      try {
        // Members of a gzip file follow each other: one megabyte, packed once and written 600 times.
        const head = gzipSync('{"streamId":"Order-1","type":"T","data":"');
        const member = gzipSync(Buffer.alloc(1 << 20, 'x'));
        writeFileSync(file, Buffer.concat([head, ...Array<Buffer>(600).fill(member)]));
        const program = evstore(['import', file, '--store', url]);
        let peak = 0;
        while (program.process.exitCode === null) {
          peak = Math.max(peak, peakMemory(program.process.pid));
          await sleep(1);
        }
        expect(await program.ended).toBe(2);
        expect(program.stderr).toMatch(/line 1.*E_INVALID_INPUT/s);
        expect(peak).toBeGreaterThan(0);
        expect(peak).toBeLessThan(boundedKb);
        expect(await readAll(store)).toEqual([]);
      } finally {
        rmSync(folder, { recursive: true });
      }
    }));
});

describe('F24: a reader of stdout that stops', () => {
  /** Twice what a process takes that waits. */
  const events = 30_000;
  const eventBytes = 6_000;
  const commands = [['read'], ['tail', '--from', 'start', '--no-follow'], ['export']];

  forEachEngine((engine) => {
    it('read, tail and export wait for a reader that has stopped, and their memory does not grow', () =>
      withTestStore(engine, async ({ url, store }) => {
        const data = JSON.stringify('x'.repeat(eventBytes));
        for (let from = 0; from < events; from += 1_000) {
          const lines = Array.from({ length: 1_000 }, (_, n) => ({
            ...makeEvent({ data }),
            streamId: `Order-${n % 9}`,
          }));
          await store.log.importEvents(lines, { conflict: 'fail' });
        }
        const children = commands.map((args) =>
          spawn(process.execPath, [compileProgram('bin/evstore.ts'), ...args, '--store', url], {
            stdio: ['ignore', 'pipe', 'inherit'],
          }),
        );
        await Promise.all(children.map((child) => once(child.stdout, 'readable')));
        await sleep(1_000);
        for (const { pid } of children) {
          expect(peakMemory(pid)).toBeGreaterThan(0);
          expect(peakMemory(pid)).toBeLessThan((events * eventBytes) / 1_024);
        }
        for (const { stdout } of children) {
          let before = 0;
          let lines = 0;
          for await (const line of createInterface({ input: stdout })) {
            const position = Number(/"globalPosition":(\d+)/.exec(line)?.[1]);
            if (position !== before + 1) throw new Error(`position ${position} after ${before}`);
            before = position;
            lines += 1;
          }
          expect(lines).toBe(events);
        }
      }));
  });
});

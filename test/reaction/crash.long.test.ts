/** A process that runs a reaction is killed at each of its acts; what each event causes is in the store once. */
import { execa } from 'execa';
import { beforeAll, expect, test } from 'vitest';
import type { RecordedEvent } from '../../src/domain/event.js';
import { compileProgram } from '../support/compile.js';
import { forEachEngine, type TestStore, withTestStore } from '../support/engines.js';
import { append, makeEvents, readAll } from '../support/events.js';
import { allowMoreTime } from '../support/more-time.js';
import { until } from '../support/wait.js';

allowMoreTime('processes are started and killed');

let worker: string;
beforeAll(() => {
  worker = compileProgram('test/support/workers/react.ts');
});

/** The invoices and mails in the log, as the events that caused them. */
async function effectsOf({ store }: TestStore): Promise<readonly [string[], string[]]> {
  const events = await readAll(store);
  const causes = (type: string) =>
    events.filter((event) => event.type === type).map(({ metadata }) => JSON.parse(metadata).causationId as string);
  return [causes('InvoiceRequested'), causes('MailRequested')];
}

async function ownerOf({ store }: TestStore): Promise<string | null> {
  return (await store.projections.checkpoints())[0]?.owner ?? null;
}

function inOrder(events: readonly RecordedEvent[]): string[] {
  return events.filter(({ type }) => type === 'OrderPlaced').map(({ id }) => id);
}

forEachEngine((engine) => {
  test.each(['before:1', 'after:1', 'before:2', 'after:2', 'after:3', 'after:8', 'stored:1', 'after:9', 'after:12'])(
    'killed %s: each event is reacted to once, and what was appended first stays',
    (point) =>
      withTestStore(engine, async (place) => {
        await append(place.store, 'Order-1', makeEvents(6));
        const run = (at: string) => execa(process.execPath, [worker, place.url, 'once', at], { reject: false });
        const killed = await run(point);
        expect(killed.signal, killed.stderr).toBe('SIGKILL');
        const before = await readAll(place.store);
        const ended = await run('');
        expect(ended, ended.stderr).toMatchObject({ exitCode: 0 });
        const after = await readAll(place.store);
        expect(after.slice(0, before.length)).toEqual(before);
        const placed = inOrder(after);
        expect(await effectsOf(place)).toEqual([placed, placed]);
      }),
  );

  test('two rivals that are killed at random react to each event once', () =>
    withTestStore(engine, async (place) => {
      const start = () => execa(process.execPath, [worker, place.url, 'follow'], { reject: false });
      const rivals = [start(), start()];
      let placed = 0;
      const kills = { working: 0, waiting: 0 };
      for (let round = 0; round < 10; round += 1) {
        await append(place.store, `Order-${round}`, makeEvents(20));
        placed += 20;
        const wanted = placed - Math.ceil(Math.random() * 19);
        await until(async () => (await effectsOf(place))[0].length >= wanted, `${wanted} invoices`);
        let owner: string | null = null;
        await until(async () => {
          owner = await ownerOf(place);
          return owner !== null;
        }, 'a rival that works');
        const other = Math.random() < 0.2;
        const which = rivals.findIndex(({ pid }) => (`worker:${pid}` === owner) !== other);
        kills[other ? 'waiting' : 'working'] += rivals[which]?.kill('SIGKILL') === true ? 1 : 0;
        rivals[which] = start();
      }
      await until(async () => (await effectsOf(place))[1].length >= placed, 'all mails');
      for (const rival of rivals) rival.kill('SIGTERM');
      // One that has just started may not listen to the signal yet.
      expect((await Promise.all(rivals)).map(({ stderr }) => stderr)).toEqual(['', '']);
      expect(kills.working + kills.waiting).toBe(10);
      expect(kills.working).toBeGreaterThan(0);
      const orders = inOrder(await readAll(place.store));
      expect(orders).toHaveLength(placed);
      expect(await effectsOf(place)).toEqual([orders, orders]);
    }));
});

/** `evstore snapshots create`, `delete`, `verify` and `list --stale`: with the aggregates of a project. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { newEventId } from '../../src/domain/uuid.js';
import { runCli } from '../support/cli.js';
import { forEachEngine, type TestStore, withTestStore } from '../support/engines.js';
import { append, makeEvents, readStream } from '../support/events.js';

function write(folder: string, version: number, evolve = 'total: total + data.total'): void {
  mkdirSync(join(folder, 'aggregates'), { recursive: true });
  writeFileSync(
    join(folder, 'aggregates/order.ts'),
    `export const order = {
       kind: 'aggregate', name: 'order', category: 'Order', version: ${version}, snapshot: { every: 3 },
       initial: () => ({ total: 0 }),
       evolve: { OrderPlaced: ({ total }: { total: number }, { data }: { data: { total: number } }) => ({ ${evolve} }) },
     };`,
  );
}

async function withProject(
  engine: TestStore['engine'],
  work: (test: TestStore, cli: (...argv: string[]) => ReturnType<typeof runCli>, folder: string) => Promise<void>,
): Promise<void> {
  await withTestStore(engine, async (test) => {
    const folder = mkdtempSync(join(inject('scratch'), 'snapshots-'));
    write(folder, 1);
    for (const [id, events] of [
      ['1', 5],
      ['2', 3],
      ['3', 2],
    ] as const) {
      await append(test.store, `Order-${id}`, makeEvents(events));
    }
    const cli = (...argv: string[]) => runCli(['snapshots', ...argv, '--store', test.url], { cwd: folder });
    await work(test, cli, folder);
  });
}

forEachEngine((engine) => {
  test('create folds streams that have many events, or those named; --dry-run writes nothing', () =>
    withProject(engine, async ({ store }, cli) => {
      const planned = JSON.parse((await cli('create', 'order', '--all', '--dry-run', '--json')).stdout);
      expect(planned).toEqual({
        dryRun: true,
        aggregate: 'order',
        snapshots: [
          { streamId: 'Order-1', version: 5, result: 'stored' },
          { streamId: 'Order-2', version: 3, result: 'stored' },
        ],
      });
      expect(await store.snapshots.list()).toEqual([]);
      expect(await cli('create', 'order', '--all')).toMatchObject({ code: 0 });
      expect(await cli('create', 'order', 'Order-3')).toMatchObject({
        code: 0,
        stderr: expect.stringContaining('1 snapshot stored'),
      });
      expect(await store.snapshots.find('Order-1')).toMatchObject({ version: 5, data: '{"total":50}' });
      expect((await cli('create', 'order', '--all')).stdout.trim().split('\n')).toHaveLength(1);
      expect(await cli('create', 'order', 'Order-9')).toMatchObject({ code: 6 });
      expect(await cli('create', 'order', 'Basket-9')).toMatchObject({ code: 2 });
      expect(await cli('create', 'basket', '--all')).toMatchObject({ code: 6 });
      for (const argv of [
        ['create', 'order'],
        ['create', 'order', 'Order-1', '--all'],
      ]) {
        expect(await cli(...argv)).toMatchObject({ code: 2 });
      }
    }));

  test('verify finds data that the events do not make, and code that changed under its version', () =>
    withProject(engine, async ({ raw }, cli, folder) => {
      await cli('create', 'order', '--all');
      expect(await cli('verify')).toMatchObject({ code: 0, stderr: expect.stringContaining('2 snapshots verified') });
      await raw.query(`update snapshots set snapshot_data = '{"total":51}' where stream_id = 'Order-1'`);
      const changed = await cli('verify', '--json');
      expect(changed.code).toBe(1);
      expect(JSON.parse(changed.stdout)).toMatchObject({
        verified: 2,
        passedOver: 0,
        wrong: [{ streamId: 'Order-1' }],
      });
      expect(await cli('verify', 'Order-2')).toMatchObject({ code: 0 });
      expect(await cli('verify', 'Order-3')).toMatchObject({ code: 6 });
      write(folder, 2);
      const other = await cli('verify', '--json');
      expect(JSON.parse(other.stdout)).toEqual({ verified: 0, passedOver: 2, wrong: [] });
    }));

  test('--stale lists and deletes those of other code and of another history, and no other program', () =>
    withProject(engine, async ({ raw, store }, cli, folder) => {
      await cli('create', 'order', '--all');
      const [first] = await readStream(store, 'Order-3');
      await raw.query(`insert into snapshots (stream_id, snapshot_data, version) values ('Order-3', '{}', 1)`);
      await raw.query(`insert into snapshots
        (stream_id, snapshot_data, version, aggregate, state_version, code_hash, event_id)
        values ('Basket-1', '{}', 1, 'basket', 1, 'x', '${newEventId()}')`);
      expect(first).toBeDefined();
      const list = async () =>
        JSON.parse((await cli('list', '--stale', '--json')).stdout).snapshots.map(
          ({ streamId, state }: { streamId: string; state: string }) => `${streamId} ${state}`,
        );
      expect(await list()).toEqual(['Basket-1 diverged']);
      write(folder, 1, 'total: total + 2 * data.total');
      expect(await list()).toEqual(['Basket-1 diverged', 'Order-1 stale code', 'Order-2 stale code']);
      write(folder, 2);
      expect(await list()).toEqual(['Basket-1 diverged', 'Order-1 stale', 'Order-2 stale']);
      expect(await cli('delete', '--stale')).toMatchObject({ code: 8 });
      expect(await cli('delete', '--stale', '--dry-run')).toMatchObject({ code: 0 });
      expect(await store.snapshots.list()).toHaveLength(4);
      expect(await cli('delete', '--stale', '--yes')).toMatchObject({
        code: 0,
        stderr: expect.stringContaining('3 snapshots deleted'),
      });
      expect((await store.snapshots.list()).map(({ streamId }) => streamId)).toEqual(['Order-3']);
      expect(JSON.parse((await cli('list', '--json')).stdout).snapshots).toMatchObject([{ state: 'foreign' }]);
      expect(await cli('create', 'order', 'Order-3', '-o', 'tsv')).toMatchObject({
        stdout: expect.stringMatching(/foreign/),
      });
      expect(await cli('delete', 'Order-3', '--yes')).toMatchObject({ code: 0 });
      for (const argv of [['delete'], ['delete', 'Order-1', '--stale']])
        expect(await cli(...argv)).toMatchObject({ code: 2 });
      expect(await cli('delete', 'Order-1')).toMatchObject({ code: 6 });
    }));
});

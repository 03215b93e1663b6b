import { expect, test } from 'vitest';
import { placeOrders } from '../projection/orders.js';
import { forEachEngine } from '../support/engines.js';
import { positionOf } from '../support/read-models.js';
import { withShop } from './shop.js';

forEachEngine((engine) => {
  test('a checkpoint is moved only with --execute', () =>
    withShop(engine, async ({ test, evstore, report }) => {
      await placeOrders(test.store, 10);
      await test.raw.query(
        "insert into subscription_checkpoints (subscription_id, last_position) values ('mailer', 4)",
      );
      const at = () => positionOf(test.store, 'mailer');
      const move = (...flags: string[]) => report('checkpoints', 'set', 'mailer', ...flags, '--execute');
      expect(await report('checkpoints', 'set', 'mailer', '--to', '7')).toEqual({
        name: 'mailer',
        from: 4,
        to: 7,
        executed: false,
      });
      expect(await at()).toBe(4);
      expect(await move('--to', '7')).toEqual({ name: 'mailer', from: 4, to: 7, executed: true });
      expect(await at()).toBe(7);
      expect(await move('--to-head')).toMatchObject({ to: 10 });
      expect(await move('--shift', '-3')).toMatchObject({ to: 7 });
      expect(await move('--shift', '99')).toMatchObject({ to: 10 });
      expect(await move('--to-start')).toMatchObject({ to: 0 });
      expect(await move('--to-time', '1h')).toMatchObject({ to: 0 });
      expect(await move('--to-time', '2999-01-01')).toMatchObject({ to: 10 });
      expect(await report('checkpoints', 'reset', 'mailer', '--execute')).toMatchObject({ from: 10, to: 0 });
      expect(await report('checkpoints', 'delete', 'mailer')).toEqual({
        name: 'mailer',
        from: 0,
        to: null,
        executed: false,
      });
      expect(await at()).toBe(0);
      expect(await report('checkpoints', 'delete', 'mailer', '--execute')).toMatchObject({ executed: true });
      expect(await at()).toBeUndefined();
      expect((await evstore('checkpoints', 'delete', 'mailer')).code).toBe(6);
    }));

  test('moving the checkpoint of a projection warns that its rows will be wrong', () =>
    withShop(engine, async ({ test, evstore }) => {
      await placeOrders(test.store, 10);
      await evstore('run', '--once');
      const { code, stdout, stderr } = await evstore('checkpoints', 'reset', 'order_summary');
      expect({ code, stdout }).toEqual({ code: 0, stdout: 'order_summary: would be 10 → 0\n' });
      expect(stderr).toContain('evstore rebuild order_summary');
    }));

  test('the list', () =>
    withShop(engine, async ({ test, evstore, report }) => {
      expect(await report('checkpoints')).toEqual({ checkpoints: [] });
      await placeOrders(test.store, 3);
      await evstore('run', '--once');
      expect((await report('checkpoints', 'list')).checkpoints).toMatchObject([
        { subscriptionId: 'order_summary', position: 3, owner: null, lastError: null },
      ]);
      expect((await evstore('checkpoints')).stdout).toMatch(
        /^name\tposition\tupdated\tgeneration\towner\terror\norder_summary\t3\t20/,
      );
    }));
});

test('set needs exactly one target position, not beyond the safe head', () =>
  withShop('sqlite', async ({ test, evstore }) => {
    await placeOrders(test.store, 3);
    await evstore('run', '--once');
    const set = async (...flags: string[]) => (await evstore('checkpoints', 'set', 'order_summary', ...flags)).code;
    expect(await set()).toBe(2);
    expect(await set('--to', '1', '--to-head')).toBe(2);
    expect(await set('--to', '4')).toBe(2);
    expect(await set('--shift', 'x')).toBe(2);
    expect(await set('--to-time', 'x')).toBe(2);
    expect((await evstore('checkpoints', 'set', 'order_sumary', '--to', '1')).stderr).toContain(
      'Did you mean order_summary?',
    );
  }));

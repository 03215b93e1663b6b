import { expect, test } from 'vitest';
import { accountName } from '../../src/lease/owner.js';
import { thisProcess } from '../../src/store/process.js';
import { placeOrders } from '../projection/orders.js';
import { forEachEngine } from '../support/engines.js';
import { append, makeEvents } from '../support/events.js';
import { positionOf } from '../support/read-models.js';
import { withShop } from './shop.js';

forEachEngine((engine) => {
  test('rows that do not fit a checkpoint that was moved are a finding, until a rebuild', () =>
    withShop(engine, async ({ test, evstore, report }) => {
      await placeOrders(test.store, 10);
      await evstore('run', '--once');
      const told = async (command: string) =>
        JSON.parse((await evstore(command, '--json')).stdout).findings.filter(
          ({ kind }: { kind: string }) => kind === 'moved-by-hand',
        );
      expect(await told('verify')).toEqual([]);
      await report('checkpoints', 'reset', 'order_summary', '--execute');
      for (const command of ['verify', 'doctor', 'lag']) {
        expect(await told(command)).toMatchObject([
          {
            subject: 'order_summary',
            detail: 'was moved from position 10 to 0: a run applies 10 of its events to its rows again',
            next: expect.stringMatching(/^evstore rebuild order_summary/),
          },
        ]);
      }
      await report('checkpoints', 'set', 'order_summary', '--to', '10', '--execute', '--skip-events');
      expect((await told('verify'))[0].detail).toContain('from position 0 to 10: 10 of its events are missing');
      await evstore('rebuild', 'order_summary');
      for (const command of ['verify', 'doctor', 'lag']) expect(await told(command)).toEqual([]);
    }));

  test('a checkpoint is moved only with --execute', () =>
    withShop(engine, async ({ test, evstore, report }) => {
      await placeOrders(test.store, 10);
      await test.raw.query(
        "insert into subscription_checkpoints (subscription_id, last_position) values ('mailer', 4)",
      );
      const at = () => positionOf(test.store, 'mailer');
      const move = (...flags: string[]) =>
        report('checkpoints', 'set', 'mailer', ...flags, '--skip-events', '--execute');
      expect(await report('checkpoints', 'set', 'mailer', '--to', '7')).toEqual({
        name: 'mailer',
        from: 4,
        to: 7,
        effect: 'skip',
        events: 3,
        estimated: false,
        atMost: 3,
        executed: false,
        owner: null,
      });
      expect(await at()).toBe(4);
      expect(await move('--to', '7')).toMatchObject({ from: 4, to: 7, executed: true });
      expect(await at()).toBe(7);
      expect(await move('--to-head')).toMatchObject({ to: 10 });
      expect(await move('--shift', '-3')).toMatchObject({ to: 7 });
      expect(await move('--shift', '99')).toMatchObject({ to: 10 });
      expect(await move('--to-start')).toMatchObject({ to: 0 });
      expect(await move('--to-time', '1h')).toMatchObject({ to: 0 });
      expect(await move('--to-time', '2999-01-01')).toMatchObject({ to: 10 });
      expect(await report('checkpoints', 'reset', 'mailer', '--execute')).toMatchObject({ from: 10, to: 0 });
      expect(await report('checkpoints', 'delete', 'mailer')).toMatchObject({
        from: 0,
        to: null,
        effect: 'none',
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
      expect({ code, stdout }).toEqual({
        code: 0,
        stdout: 'order_summary: would be 10 → 0\n10 events would be handled again\n',
      });
      expect(stderr).toContain('evstore rebuild order_summary');
    }));

  test('a change tells the events that the subscription handles, also after an earlier change', () =>
    withShop(engine, async ({ test, evstore, report }) => {
      await placeOrders(test.store, 10);
      await append(test.store, 'Customer-1', makeEvents(5));
      await evstore('run', '--once');
      const set = (...flags: string[]) => report('checkpoints', 'set', 'order_summary', ...flags);
      expect(await set('--to', '2')).toMatchObject({ from: 15, effect: 'replay', events: 8, estimated: false });
      await set('--to', '12', '--execute');
      expect(await set('--to', '2', '--exact')).toMatchObject({ from: 12, events: 8, atMost: 8 });
      expect(await set('--to-head')).toMatchObject({ from: 12, effect: 'skip', events: 0, atMost: 0 });
      expect(await set('--to-head', '--execute')).toMatchObject({ to: 15, executed: true });
      expect((await evstore('checkpoints', 'delete', 'order_summary')).stdout).toBe(
        'order_summary: would be checkpoint at 15, deleted\n10 events would be handled again if it ever runs again\n',
      );
    }));

  test('a saga does not record which events it handles: what would be skipped is said to be at most', () =>
    withShop(engine, async ({ test, evstore }) => {
      await placeOrders(test.store, 4);
      await test.raw.query("insert into subscription_checkpoints (subscription_id) values ('saga:mails')");
      expect((await evstore('checkpoints', 'set', 'saga:mails', '--to-head')).stdout).toContain(
        'at most 4 events (which of them it handles is unknown) would never be handled',
      );
    }));

  test('a move forward past events needs --skip-events', () =>
    withShop(engine, async ({ test, evstore }) => {
      await placeOrders(test.store, 4);
      await test.raw.query("insert into subscription_checkpoints (subscription_id) values ('mailer')");
      const set = (...flags: string[]) => evstore('checkpoints', 'set', 'mailer', '--to', '3', '--execute', ...flags);
      const { code, stderr } = await set();
      expect(code).toBe(8);
      expect(stderr).toContain('Between 0 and 3, 3 events would never be handled.');
      expect(stderr).toContain('--execute');
      expect(stderr).toContain('--skip-events');
      expect(await positionOf(test.store, 'mailer')).toBe(0);
      expect((await set('--skip-events')).stdout).toBe('mailer: 0 → 3\n3 events will never be handled\n');
    }));

  test('a checkpoint is not changed while its owner lives, and is once that has ended', () =>
    withShop(engine, async ({ test, evstore, report }) => {
      await placeOrders(test.store, 4);
      await evstore('run', '--once');
      const target = { kind: 'checkpoint', subscriptionId: 'order_summary' } as const;
      const lease = { owner: 'host:1', ttlMs: 600_000 };
      const held = await test.store.projections.acquireLease(target, { ...lease, process: thisProcess() });
      const reset = ['checkpoints', 'reset', 'order_summary'];
      expect((await evstore(...reset)).stderr).toContain('host:1 is working on order_summary; stop it');
      for (const command of ['reset', 'delete']) {
        expect((await evstore('checkpoints', command, 'order_summary', '--execute')).code).toBe(5);
      }
      expect(await positionOf(test.store, 'order_summary')).toBe(4);
      expect(await report('checkpoints', 'history')).toEqual({ changes: [] });
      if (!held.held) await test.store.projections.releaseLease(held.lease);
      const ended = thisProcess()?.replace(/\d+$/, '1') ?? null;
      await test.store.projections.acquireLease(target, { ...lease, process: ended });
      expect(await report(...reset, '--execute')).toMatchObject({ to: 0, executed: true });
      expect(await test.store.projections.checkpoints()).toMatchObject([{ position: 0, owner: null }]);
    }));

  test('the history shows who changed what and why, also of what was deleted, without passwords', () =>
    withShop(engine, async ({ test, report }) => {
      await placeOrders(test.store, 4);
      await test.raw.query(
        "insert into subscription_checkpoints (subscription_id, last_position) values ('mailer', 4)",
      );
      const reason = "it's late";
      await report('checkpoints', 'set', 'mailer', '--to', '1', '--execute', '--reason', reason);
      await report('checkpoints', 'set', 'mailer', '--to', '2');
      await report('checkpoints', 'delete', 'mailer', '--execute');
      const { changes } = await report('checkpoints', 'history', 'mailer');
      expect(changes).toMatchObject([
        { subscriptionId: 'mailer', from: 1, to: null, events: 1, reason: null },
        { subscriptionId: 'mailer', from: 4, to: 1, events: 3, estimated: false, reason },
      ]);
      expect(changes[0].by).toBe(accountName());
      expect(changes[1].command).toContain(`evstore checkpoints set mailer --to 1 --execute --reason 'it'\\''s late'`);
      const password = new URL(test.url.replace(/^sqlite:/, 'file:')).password;
      if (password !== '') expect(changes[1].command).not.toContain(`:${password}@`);
      expect((await report('checkpoints', 'history', '-n', '1')).changes).toHaveLength(1);
      expect(await report('checkpoints', 'history', 'mailr').catch(String)).toContain('Did you mean mailer?');
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

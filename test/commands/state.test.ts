/** `evstore state`, on a shop. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { placeOrders } from '../projection/orders.js';
import { append, makeEvent } from '../support/events.js';
import { withShop } from './shop.js';

test('prints the row of a stream as of a version, a position and a time; for people, as JSON and as a number', () =>
  withShop('sqlite', async ({ test, evstore, report }) => {
    await placeOrders(test.store, 40);
    expect(await report('state', 'Order-4', '--at', '2')).toEqual({
      projection: 'order_summary',
      stream: 'Order-4',
      codeVersion: 1,
      code: 'new',
      parked: 0,
      held: 0,
      at: { version: 2, position: 15, lastPosition: 15, time: expect.stringMatching(/Z$/) },
      row: { order_id: 'Order-4', events: 2, total: 18 },
      rows: [{ order_id: 'Order-4', events: 2, total: 18 }],
    });
    expect((await report('state', 'Order-4', '--at', '@15')).row.events).toBe(2);
    expect((await report('state', 'Order-4', '--at', '1h')).row).toBeNull();
    expect((await report('state', 'Order-4', '--at', '2999-01-01')).row.events).toBe(4);
    expect((await evstore('state', 'Order-4', '-q')).stdout).toBe('1\n');
    const shown = await evstore('state', 'Order-4', '--at', '2', '--times', 'iso');
    expect(shown.stdout).toMatch(
      /^order_summary of Order-4 at version 2, position 15, 20.*Z\n\n {2}order_id {2}Order-4\n {2}events {4}2\n/,
    );
    // The head is 40: the time is that of the last event of the stream, and so is the position.
    const now = await evstore('state', 'Order-4', '--times', 'iso');
    expect(now.stdout).toMatch(/^order_summary of Order-4 at version 4, position 35, /);
    expect((await evstore('state', 'Order-4', '--at', '0')).stdout).toContain(
      'at the beginning, position 0\n\nno row\n',
    );
  }));

test('prints how the row changed, event by event, and the difference of two points', () =>
  withShop('sqlite', async ({ test, evstore, report }) => {
    await placeOrders(test.store, 40);
    const { stdout } = await evstore('state', 'Order-0', '--history', '--times', 'iso');
    expect(stdout).toMatch(
      /version 1 {2}OrderPlaced .* #1\n {2}\+ order_id="Order-0"\n {4}\+ events: 1\n {4}\+ total: 0\n/,
    );
    expect(stdout).toMatch(/version 2 {2}OrderRemoved .*\n {2}- order_id="Order-0"\n/);
    expect(stdout).toMatch(/version 4 .*\n {2}~ order_id="Order-0"\n {4}- events: 1\n {4}\+ events: 2\n/);
    const { history, omitted } = await report('state', 'Order-0', '--history', '-n', '1');
    expect(omitted).toBe(3);
    expect(history).toMatchObject([{ version: 4, position: 31, kind: 'changed', row: { events: 2, total: 50 } }]);
    const diff = await report('state', 'Order-0', '--diff', '1', '@40');
    expect(diff).toMatchObject({
      from: { version: 1 },
      to: { version: 4, position: 40 },
      rows: [{ kind: 'changed', changes: { events: { before: 1, after: 2 }, total: { before: 0, after: 50 } } }],
    });
    expect((await evstore('state', 'Order-0', '--diff', '4', '2')).stdout).toContain('- order_id="Order-0"');
  }));

test('a mistake in a name or a point leads to the right one', () =>
  withShop('sqlite', async ({ test, cwd, evstore }) => {
    await placeOrders(test.store, 12);
    await append(test.store, 'Customer-1', [makeEvent({ type: 'Registered' })]);
    const fails = async (code: number, text: string, ...argv: string[]) => {
      const { stderr, ...ran } = await evstore('state', ...argv);
      expect({ argv, code: ran.code, stderr }).toEqual({ argv, code, stderr: expect.stringContaining(text) });
    };
    await fails(6, 'evstore read --category Order', 'Order');
    await fails(6, 'Did you mean order_summary?', 'Order-1', '--projection', 'order_sumary');
    await fails(6, 'no projection handles an event of stream Customer-1', 'Customer-1');
    await fails(6, 'no projection handles an event', 'Customer-1', '--projection', 'order_summary');
    await fails(6, 'A position of the log is written @9', 'Order-1', '--at', '9');
    await fails(6, 'next: evstore state Order-1 --at 2', 'Order-1', '--at', '9');
    await fails(2, "'tuesday' is not a version, a position or a time", 'Order-1', '--at', 'tuesday');
    await fails(2, '--diff takes two points', 'Order-1', '--diff', '1');
    const other = `export default { name: 'order_count', version: 1, category: 'Order',
      table: { columns: { id: 'text', n: 'integer' }, key: 'id' },
      on: { OrderPlaced: (row, event) => ({ id: event.streamId, n: (row?.n ?? 0) + 1 }) } };`;
    writeFileSync(join(cwd, 'projections/order-count.ts'), other);
    await fails(2, '--projection order_count', 'Order-1');
    expect((await evstore('state', 'Order-1', '--projection', 'order_count')).code).toBe(0);
  }));

test('says that other code made the live rows, that parked events are left out, and which event fails', () =>
  withShop('sqlite', async ({ test, evstore, writeProjection }) => {
    const strict =
      "(row, { data }) => { if (data.total === 4) throw new Error('four'); return { events: (row?.events ?? 0) + 1, total: data.total }; }";
    await placeOrders(test.store, 20);
    writeProjection(1, strict);
    expect(await evstore('state', 'Order-4')).toMatchObject({ code: 9, stderr: expect.stringContaining('four') });
    expect((await evstore('run', '--once', '--on-error', 'skip')).code).toBe(0);
    const shown = await evstore('state', 'Order-4');
    expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining('events    1') });
    expect(shown.stderr).toContain('1 parked event left out, as in the live rows');
    writeProjection(2);
    expect((await evstore('state', 'Order-5')).stderr).toContain(
      'computed by the code of version 2; other code made the live rows',
    );
  }));

test('names and values from the store stay inert on a terminal', () =>
  withShop('sqlite', async ({ test, cwd, evstoreWith }) => {
    const evil = '\u001b[2J\u202e';
    await append(test.store, `Order-${evil}`, [
      makeEvent({ type: 'OrderPlaced', data: JSON.stringify({ note: evil }) }),
    ]);
    const code = `export default { name: 'notes', version: 1, category: 'Order',
      table: { columns: { id: 'text', note: 'text' }, key: 'id' }, on: { OrderPlaced: (row, { data }) => ({ note: data.note }) } };`;
    writeFileSync(join(cwd, 'projections/notes.ts'), code);
    for (const flags of [[], ['--history'], ['--diff', '0', '1']]) {
      const argv = ['state', `Order-${evil}`, '--projection', 'notes', ...flags, '--color', 'never'];
      const { stdout, code } = await evstoreWith({ tty: true }, ...argv);
      expect(code).toBe(0);
      expect(stdout).toContain('notes of Order-');
      expect(stdout).not.toContain('\u202e');
      expect(stdout).not.toContain('\u001b');
    }
  }));

/** A text that is too long for an index: Postgres refuses it at the end of a rebuild, or when a runner writes it. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Shop, withShop } from '../commands/shop.js';
import { append, makeEvent } from '../support/events.js';

/** Random, so that compression gains little. */
const long = randomBytes(5_250).toString('base64');

function writeNotes({ cwd }: Shop, indexes: string): void {
  const source = `export default { name: 'order_notes', version: 1, category: 'Order',
    table: { columns: { orderId: 'text', note: 'text', short: 'text' }, key: 'orderId', indexes: ${indexes} },
    on: { OrderNoted: (_row, { data }) => ({ note: data.note, short: data.note.slice(0, 20) }) } };\n`;
  writeFileSync(join(cwd, 'projections/order-notes.ts'), source);
}

const note = ({ test: { store } }: Shop, stream: string, text: string) =>
  append(store, stream, [makeEvent({ type: 'OrderNoted', data: JSON.stringify({ note: text }) })]);

test('a rebuild names projection, index, column and key of the row, and works once another column is indexed', () =>
  withShop('postgres', async (shop) => {
    writeNotes(shop, '[]');
    await note(shop, 'Order-1', 'short');
    await note(shop, 'Order-2', long);
    await note(shop, 'Order-3', long.slice(0, 5_000));
    expect(await shop.evstore('run', 'order_notes', '--once')).toMatchObject({ code: 0 });
    writeNotes(shop, "['short', 'note']");
    const { code, stderr } = await shop.evstore('rebuild', 'order_notes', '--yes');
    expect(code).toBe(2);
    expect(stderr).toContain(
      'the row of order_notes with order_id "Order-2" is too long for index order_notes__v1_1_idx2 on note',
    );
    expect(stderr).toContain('at most 2,704 after compression. 1 more row may be too long.');
    expect(stderr).toContain('next: evstore rebuild order_notes --restart');
    writeNotes(shop, "['short']");
    expect(await shop.evstore('rebuild', 'order_notes', '--restart', '--yes')).toMatchObject({ code: 0 });
  }));

test('a runner names event, index, column and key of the row, and can park the event', () =>
  withShop('postgres', async (shop) => {
    writeNotes(shop, "['note']");
    for (const [stream, text] of [
      ['Order-1', 'short'],
      ['Order-2', long],
      ['Order-3', 'short'],
    ] as const) {
      await note(shop, stream, text);
    }
    const { code, stderr } = await shop.evstore('run', 'order_notes', '--once');
    expect(code).toBe(9);
    expect(stderr).toContain('projection order_notes failed on OrderNoted at position 2');
    expect(stderr).toContain('the row with order_id "Order-2" is too long for index order_notes_idx1 on note');
    expect(stderr).toContain('7,000 bytes');
    expect(await shop.evstore('run', 'order_notes', '--once', '--on-error', 'park')).toMatchObject({ code: 0 });
    const rows = await shop.test.raw.query('select order_id from order_notes order by 1');
    expect(rows.map((row) => row.order_id)).toEqual(['Order-1', 'Order-3']);
  }));

test('a key that is too long is named as the primary key', () =>
  withShop('postgres', async (shop) => {
    const source = `export default { name: 'notes', version: 1,
      table: { columns: { note: 'text', events: 'integer' }, key: 'note' },
      key: ({ data }) => data.note, on: { OrderNoted: (row) => ({ events: (row?.events ?? 0) + 1 }) } };\n`;
    writeFileSync(join(shop.cwd, 'projections/notes.ts'), source);
    await note(shop, 'Order-1', long);
    const { code, stderr } = await shop.evstore('run', 'notes', '--once');
    expect(code).toBe(9);
    expect(stderr).toMatch(/the row with note "\S+… is too long for index notes_pkey on note/);
  }));

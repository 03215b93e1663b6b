/** Stores that are opened to be read. */
import { chmodSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openStore } from '../../src/library/event-store.js';
import { defineProjection } from '../../src/projection/define/definition.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { append, errorOf } from '../support/events.js';

const inline = defineProjection({
  ...{ name: 'orders', version: 1, mode: 'inline', table: { columns: { orderId: 'text' }, key: 'orderId' } },
  on: { OrderPlaced: () => ({}) },
});

forEachEngine((engine) => {
  test('a store that is opened read-only is read, and refuses to write', () =>
    withTestStore(engine, async ({ url, store: writable }) => {
      await append(writable, 'Order-1');
      const store = await openStore(url, { readOnly: true });
      try {
        const seen = [];
        for await (const event of store.readAll()) seen.push(event.streamId);
        for await (const event of store.readStream('Order-1')) seen.push(event.type);
        expect(seen).toEqual(['Order-1', 'OrderPlaced']);
        await errorOf('E_READ_ONLY', store.append('Order-1', { type: 'OrderPaid', data: {} }));
        await errorOf(
          'E_READ_ONLY',
          (async () => {
            for await (const _ of store.subscribe({ name: 'mailer' }));
          })(),
        );
        expect(await writable.projections.checkpoints()).toEqual([]);
        expect((await writable.log.head()).head).toBe(1);
      } finally {
        await store.close();
      }
    }));

  test('options that write are refused together with readOnly', () =>
    withTestStore(engine, async ({ url }) => {
      await errorOf('E_INVALID_INPUT', openStore(url, { readOnly: true, create: true }));
      await errorOf('E_INVALID_INPUT', openStore(url, { readOnly: true, projections: [inline] }));
      await errorOf('E_INVALID_INPUT', openStore(url, { readOnly: 'yes' as never }));
    }));
});

test('a file that may only be read is enough', () =>
  withTestStore('sqlite', async ({ url, store: writable }) => {
    await append(writable, 'Order-1');
    await writable.close();
    chmodSync(url.slice('sqlite:'.length), 0o444);
    const store = await openStore(url, { readOnly: true });
    const seen = [];
    for await (const event of store.readAll()) seen.push(event.streamId);
    await store.close();
    expect(seen).toEqual(['Order-1']);
  }));

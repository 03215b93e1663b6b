/** Appends behind a pooler that hands each transaction to another connection of the server. */
import { expect, it } from 'vitest';
import { openStoreAt } from '../../src/store/open.js';
import { runCli } from '../support/cli.js';
import { withTestStore } from '../support/engines.js';
import { append, makeEvents, readAll } from '../support/events.js';
import { startTransactionPooler } from '../support/transaction-pooler.js';

it('a statement that the server keeps elsewhere is sent whole, and nothing is written twice', () =>
  withTestStore('postgres', async (test) => {
    const pooler = await startTransactionPooler(test.url, 3);
    try {
      const ids: string[] = [];
      // The second store meets connections that keep the statement already.
      for (const name of ['one', 'two']) {
        const store = await openStoreAt(pooler.url);
        const writes = Array.from({ length: 4 }, async (_, writer) => {
          for (let n = 0; n < 10; n++) {
            const events = makeEvents(1 + (n % 2));
            await append(store, `${name}-${writer}`, events);
            ids.push(...events.map(({ id }) => id));
          }
        });
        await Promise.all(writes);
        await store.close();
      }
      expect(pooler.switches).toBeGreaterThan(0);
      const stored = (await readAll(test.store)).map(({ id }) => id);
      expect(stored.sort()).toEqual(ids.sort());
    } finally {
      await pooler.close();
    }
  }));

it('a pooler in statement mode is named, by doctor and by what needs a transaction', () =>
  withTestStore('postgres', async (test) => {
    const pooler = await startTransactionPooler(test.url, 3, 'statement');
    try {
      const doctor = await runCli(['doctor', '--json', '--store', pooler.url]);
      expect(doctor.code).toBe(1);
      expect(JSON.parse(doctor.stdout).findings).toContainEqual(
        expect.objectContaining({ kind: 'pooler', severity: 'error', evidence: expect.stringContaining('pool_mode') }),
      );
      const stdin = `${JSON.stringify({ streamId: 'Order-1', type: 'OrderPlaced', data: {} })}\n`;
      const refused = await runCli(['import', '-', '--store', pooler.url], { stdin });
      expect(refused.stderr).toContain('a pooler in statement mode is in front of the database');
      expect(refused.code).toBe(2);
    } finally {
      await pooler.close();
    }
  }));

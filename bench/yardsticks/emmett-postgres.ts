/** Emmett on Postgres: its own store, its own schema, with a connection for each writer. */
import {
  getPostgreSQLEventStore,
  pongoSingleStreamProjection,
  rebuildPostgreSQLProjections,
} from '@event-driven-io/emmett-postgresql';
import pg from 'pg';
import type { Raw } from '../../test/support/raw.js';
import { expectEqual, timed } from '../measure.js';
import { sampleEvents, type Writers } from './writer.js';

export async function openEmmettWriters(url: string, count: number): Promise<Writers> {
  const pool = new pg.Pool({ connectionString: url, max: count });
  const store = getPostgreSQLEventStore(url, { connectionOptions: { pool } });
  await store.schema.migrate();
  return {
    writes: Array.from({ length: count }, () => (stream, _version, events) => store.appendToStream(stream, events)),
    close: async () => {
      await store.close();
      if (!pool.ended) await pool.end();
    },
  };
}

export const countOfEmmett = 'select count(*) as events from emt_messages';

interface Totals {
  events: number;
  items: number;
  status: string;
}

/** Fills its store with orders of ten events. */
export async function fillEmmett(url: string, events: number): Promise<void> {
  const { writes, close } = await openEmmettWriters(url, 1);
  for (let order = 0; order < events / 10; order += 1) {
    const start = (order * 10) % sampleEvents.length;
    await writes[0]?.(`Order-${order}`, 0, sampleEvents.slice(start, start + 10));
  }
  await close();
}

/**
 * A document for each order, with its own batch size. It begins where the last rebuild ended unless that is forgotten.
 * @returns seconds
 */
export async function rebuildEmmett(url: string, raw: Raw, events: number): Promise<number> {
  await raw.query('delete from emt_processors');
  const projection = pongoSingleStreamProjection<Totals>({
    collectionName: 'order_totals',
    canHandle: [...new Set(sampleEvents.map(({ type }) => type))],
    evolve: (document, { type, data }) => ({
      events: (document?.events ?? 0) + 1,
      items: (document?.items ?? 0) + (type === 'ItemAdded' ? Number(data.quantity) : 0),
      status: type,
    }),
  });
  const consumer = rebuildPostgreSQLProjections({ connectionString: url, projections: [projection] });
  const seconds = await timed(() => consumer.start());
  await consumer.close();
  const [row] = await raw.query(`select count(*) as orders, sum((data->>'events')::int) as events from order_totals`);
  expectEqual('documents Emmett made', row?.orders, events / 10);
  expectEqual('events in the documents Emmett made', row?.events, events);
  return seconds;
}

/** A bare prepared INSERT through `pg`: the least that a client can do for an append. */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { NewOrderEvent, Writers } from './writer.js';

/** The table of the log with its columns, checks and indexes, but without triggers, so without guards. */
export const makeBareTable = 'create table bare (like events including all)';

const columns = 'id, stream_id, stream_type, event_type, schema_version, event_data, metadata, version';

export async function openBareWriters(url: string, count: number): Promise<Writers> {
  const clients = Array.from({ length: count }, () => new pg.Client({ connectionString: url }));
  await Promise.all(clients.map((client) => client.connect()));
  return {
    writes: clients.map((client) => (stream, version, events) => {
      const values = events.flatMap((event, place) => toValues(stream, version + place + 1, event));
      return client.query({ name: `insert-${events.length}`, text: statementOf(events.length), values });
    }),
    close: async () => {
      await Promise.all(clients.map((client) => client.end()));
    },
  };
}

const statements = new Map<number, string>();

function statementOf(count: number): string {
  const known = statements.get(count);
  if (known !== undefined) return known;
  const rows = Array.from(
    { length: count },
    (_, row) => `(${Array.from({ length: 8 }, (_, column) => `$${row * 8 + column + 1}`).join(', ')})`,
  );
  const made = `insert into bare (${columns}) values ${rows.join(', ')}`;
  statements.set(count, made);
  return made;
}

function toValues(stream: string, version: number, { type, data, metadata }: NewOrderEvent): unknown[] {
  return [randomUUID(), stream, 'Order', type, 1, JSON.stringify(data), JSON.stringify(metadata), version];
}

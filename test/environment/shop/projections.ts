/** One projection of each kind, for the main job. They run unchanged on both engines. */
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { defineExternalProjection, defineProjection, defineSqlProjection, sql } from 'evstore';

export const orderTotals = defineProjection({
  name: 'order_totals',
  version: 1,
  category: 'Order',
  table: {
    columns: { orderId: 'text', events: 'integer', note: 'text', paid: 'numeric', at: 'timestamp', tags: 'json' },
    key: 'orderId',
    indexes: ['note'],
  },
  on: {
    '*': (row, { data, createdAt }) => ({
      ...row,
      events: (row?.events ?? 0) + 1,
      note: data.note ?? row?.note ?? null,
      paid: data.paid ?? row?.paid ?? null,
      at: createdAt,
      tags: data.tags ?? row?.tags ?? null,
    }),
  },
});

export const orderStates = defineProjection({
  name: 'order_states',
  version: 1,
  mode: 'inline',
  category: 'Order',
  table: { columns: { orderId: 'text', state: 'text', version: 'integer' }, key: 'orderId' },
  on: { '*': (_row, { type, version }) => ({ state: type, version }) },
});

export const orderNotes = defineSqlProjection({
  name: 'order_notes',
  version: 1,
  category: 'Order',
  tables: ['order_notes'],
  create: (t) => sql`create table ${t.order_notes} (order_id text not null primary key, note text)`,
  on: {
    OrderPlaced: ({ streamId, data }, t) =>
      sql`insert into ${t.order_notes} (order_id, note) values (${streamId}, ${data.note})`,
  },
});

/** A file for each target: a line for each event, by position. */
export const orderLines = defineExternalProjection({
  name: 'order_lines',
  version: 1,
  types: ['OrderPlaced'],
  open: ({ name, isNew }) => {
    if (isNew) rmSync(name, { force: true });
    return new Set(existsSync(name) ? readFileSync(name, 'utf8').split('\n') : []);
  },
  write: (lines, { events }, { name }) => {
    for (const { globalPosition, streamId } of events) {
      const line = `${globalPosition} ${streamId}`;
      if (!lines.has(line)) appendFileSync(name, `${line}\n`);
      lines.add(line);
    }
  },
  promote: (_lines, { name }) => writeFileSync('order_lines', name),
  drop: ({ name }) => rmSync(name, { force: true }),
});

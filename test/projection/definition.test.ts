import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  defineProjection,
  defineSqlProjection,
  type Event,
  type Projection,
  type Row,
} from '../../src/projection/define/definition.js';
import { sql, type TableIdentifier } from '../../src/projection/define/sql-tag.js';

describe('types of a table projection', () => {
  it('are read from the columns', () => {
    const projection = defineProjection({
      name: 'order_summary',
      version: 1,
      table: {
        columns: {
          orderId: 'text',
          total: 'bigint',
          price: 'numeric',
          paidAt: 'timestamp',
          open: 'boolean',
          raw: 'json',
        },
        key: 'orderId',
        indexes: ['total', ['open', 'total'], { columns: ['price'], unique: true }],
      },
      on: {
        OrderPlaced: (row, event) => {
          expectTypeOf(row).toEqualTypeOf<Row<
            { orderId: 'text'; total: 'bigint'; price: 'numeric'; paidAt: 'timestamp'; open: 'boolean'; raw: 'json' },
            'orderId'
          > | null>();
          if (row !== null) {
            expectTypeOf(row.orderId).toEqualTypeOf<string>();
            expectTypeOf(row.total).toEqualTypeOf<number | null>();
            expectTypeOf(row.price).toEqualTypeOf<string | null>();
            expectTypeOf(row.paidAt).toEqualTypeOf<string | null>();
            expectTypeOf(row.open).toEqualTypeOf<boolean | null>();
          }
          expectTypeOf(event.type).toEqualTypeOf<'OrderPlaced'>();
          return { ...row, total: event.data.total, price: 10.5, paidAt: new Date(0) };
        },
        OrderPaid: (row, event: Event<'OrderPaid', { readonly amount: number }>) => ({
          ...row,
          total: event.data.amount,
        }),
        OrderTouched: () => undefined,
        OrderCancelled: () => null,
        '*': (row, event) => {
          expectTypeOf(event.type).toEqualTypeOf<string>();
          return row;
        },
      },
    });
    expect(projection.kind).toBe('table');
    expectTypeOf(projection).toExtend<Projection>();
  });

  it('refuse a wrong value, an unknown column and an unknown key', () => {
    const columns = { orderId: 'text', total: 'bigint' } as const;
    defineProjection({
      name: 'a',
      version: 1,
      table: { columns, key: 'orderId' },
      // @ts-expect-error a bigint column takes no boolean
      on: { A: () => ({ total: true }) },
    });
    // @ts-expect-error no such column
    defineProjection({ name: 'b', version: 1, table: { columns, key: 'id' }, on: { A: () => null } });
    // @ts-expect-error no such column
    defineProjection({ name: 'c', version: 1, table: { columns, key: 'orderId', indexes: ['id'] }, on: {} });
    // @ts-expect-error no such column type
    defineProjection({ name: 'd', version: 1, table: { columns: { id: 'varchar' }, key: 'id' }, on: {} });
    expect(columns.total).toBe('bigint');
  });

  it('let a key be composite, fan out, or be absent', () => {
    const columns = { customer: 'text', day: 'timestamp', total: 'bigint' } as const;
    const table = { columns, key: ['customer', 'day'] } as const;
    const projection = defineProjection({
      name: 'daily',
      version: 1,
      table,
      key: ({ data }) => (data.days as string[]).map((day) => ({ customer: 'ada', day })),
      on: { Sold: (row) => ({ total: (row?.total ?? 0) + 1 }) },
    });
    defineProjection({
      name: 'other',
      version: 1,
      table,
      key: ({ data }) => (data.customer === undefined ? undefined : { customer: 'ada', day: new Date(0) }),
      on: {},
    });
    // @ts-expect-error a key column is missing
    defineProjection({ name: 'e', version: 1, table, key: () => ({ customer: 'ada' }), on: {} });
    expect(projection.table.key).toEqual(['customer', 'day']);
  });
});

describe('types of an sql projection', () => {
  it('give each table by its name', () => {
    const projection = defineSqlProjection({
      name: 'order_lines',
      version: 1,
      tables: ['order_lines', 'products'],
      create: (t) => {
        expectTypeOf(t).toEqualTypeOf<{ readonly order_lines: TableIdentifier; readonly products: TableIdentifier }>();
        return sql`create table ${t.order_lines} (id text primary key)`;
      },
      on: {
        OrderPlaced: (event, t) => {
          expectTypeOf(event.type).toEqualTypeOf<'OrderPlaced'>();
          return [sql`insert into ${t.order_lines} (id) values (${event.data.id})`];
        },
        // @ts-expect-error no such table
        OrderPaid: (_event, t) => sql`delete from ${t.orders}`,
      },
    });
    expect(projection.kind).toBe('sql');
    expectTypeOf(projection).toExtend<Projection>();
  });
});

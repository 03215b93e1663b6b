import { describe, expect, it } from 'vitest';
import { findShapeFaults, looksLikeProjection } from '../../src/projection/define/shape.js';

const good = {
  name: 'orders',
  version: 1,
  table: { columns: { id: 'text', orderTotal: 'bigint' }, key: 'id' },
  on: {},
};
const goodSql = { name: 'lines', version: 1, tables: ['lines'], create: () => [], on: {} };
const withTable = (table: object) => ({ ...good, table: { ...good.table, ...table } });

describe('findShapeFaults', () => {
  it.each([
    good,
    goodSql,
    withTable({
      name: 'other',
      indexes: ['orderTotal', ['id', 'orderTotal'], { columns: ['orderTotal'], unique: true }],
    }),
    withTable({ columns: { order_id: 'uuid', day: 'timestamp' }, key: ['order_id', 'day'] }),
    { ...good, category: 'Order', key: () => 'a', on: { '*': () => null } },
    { ...good, mode: 'inline', codeHash: '3f2a' },
    { ...goodSql, mode: 'inline', partitionBy: 'stream' },
  ])('accepts %o', (value) => {
    expect(findShapeFaults(value)).toEqual([]);
  });

  it.each<[unknown, string]>([
    [{ ...good, name: 'Orders' }, "name is 'Orders'"],
    [{ ...good, name: 'events' }, "name is 'events'"],
    [{ ...good, name: 'a"; drop table x;--' }, 'name is'],
    [{ ...good, version: 0 }, 'version is'],
    [{ ...good, version: '1' }, 'version is'],
    [{ ...good, category: 'Order-1' }, 'category is'],
    [{ ...good, key: 'id' }, 'key is'],
    [{ ...good, validate: 'select 1' }, "validate is 'select 1'"],
    [{ ...goodSql, validate: [] }, 'validate is an array'],
    [{ ...good, table: undefined }, 'table is'],
    [withTable({ name: 'pg_orders' }), 'table.name is'],
    [withTable({ columns: {} }), 'table.columns is'],
    [withTable({ columns: { id: 'varchar' } }), "column id is 'varchar'"],
    [
      withTable({ columns: { id: 'text', orderId: 'text', order_id: 'text' } }),
      'orderId and order_id are both the column order_id',
    ],
    [withTable({ columns: { id: 'text', __proto: 'text' } }), "table.columns has '__proto'"],
    [withTable({ columns: { id: 'text', xmin: 'text' } }), "table.columns has 'xmin', which Postgres keeps for itself"],
    [withTable({ key: 'nope' }), "table.key has 'nope'"],
    [withTable({ key: [] }), 'table.key is missing'],
    [withTable({ columns: { id: 'json' } }), 'table.key has id, and json cannot be the type of a key'],
    [withTable({ key: ['id', 'id'] }), 'table.key names a column twice'],
    [withTable({ indexes: ['nope'] }), "table.indexes has 'nope'"],
    [withTable({ indexes: [[]] }), 'table.indexes has an index without a column'],
    [{ ...good, on: { A: 1 } }, 'on.A is'],
    [{ ...goodSql, tables: [] }, 'tables is'],
    [{ ...goodSql, tables: ['lines', 'lines'] }, 'tables names a table twice'],
    [{ ...goodSql, tables: ['snapshots'] }, "tables has 'snapshots'"],
    [{ ...goodSql, create: undefined }, 'create is missing'],
    [{ ...good, mode: 'inline', key: () => 'a' }, 'leave out key, so that the stream id is the key'],
    [{ ...withTable({ columns: { id: 'uuid' } }), mode: 'inline' }, 'its key is uuid: an inline row has the stream id'],
    [{ ...withTable({ columns: { id: 'timestamp' } }), mode: 'inline' }, 'its key is timestamp'],
    [{ ...withTable({ columns: { id: 'bigint' } }), mode: 'inline' }, 'in one column of type text'],
    [{ ...withTable({ columns: { a: 'text', b: 'text' }, key: ['a', 'b'] }), mode: 'inline' }, 'its key is text, text'],
    [{ ...good, codeHash: '' }, "codeHash is ''"],
    [{ ...good, codeHash: 7 }, 'codeHash is the number 7'],
    [{ ...goodSql, mode: 'inline' }, "state partitionBy: 'stream'"],
  ])('%o', (value, fault) => {
    expect(findShapeFaults(value).join('\n')).toContain(fault);
  });

  it('recognises what looks like a projection', () => {
    expect([good, goodSql, { kind: 'table', on: {} }].every(looksLikeProjection)).toBe(true);
    expect([null, 1, 'on', {}, { on: {} }, { name: 'saga', steps: [] }, [good]].some(looksLikeProjection)).toBe(false);
  });
});

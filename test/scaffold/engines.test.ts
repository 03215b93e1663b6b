/** The templates run on both engines, and leave there what their scenarios leave in memory. */
import { expect, test } from 'vitest';
import { prepareProjection } from '../../src/projection/define/prepare.js';
import { runProjections } from '../../src/projection/run/run.js';
import { given, projectionScenario } from '../../src/testing.js';
import orderCustomers from '../../templates/projection/order-customers.js';
import orderSearch from '../../templates/projection/order-search.js';
import orderSummary from '../../templates/projection/order-summary.js';
import ordersByDay from '../../templates/projection/orders-by-day.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { append, makeEvent } from '../support/events.js';

const history = [
  given('Order-1', 'OrderPlaced', { customer: 'Ada', customerId: 'Customer-1', total: 4200 }),
  given('Customer-1', 'CustomerRegistered', { name: 'Ada' }),
  given('Order-2', 'OrderPlaced', { customer: 'Zoë', customerId: 'Customer-1', total: 1 }),
  given('Order-1', 'OrderPaid', {}),
  given('Order-1', 'OrderNoteAdded', { note: "Zürich, 'quoted' $1 ?1" }),
  given('Customer-1', 'CustomerRenamed', { name: "Ada O'Neill" }),
  given('Order-1', 'OrderShipped', { parcel: 'P-7' }),
].map((event, index) => ({ ...event, createdAt: new Date(Date.UTC(2026, 0, 31, 23, 57 + index)).toISOString() }));

const columns = {
  order_customers: 'stream_id, customer_id, customer_name',
  order_search: 'word, stream_id',
  order_summary: 'stream_id, status, events, customer, total',
  orders_by_day: 'day, events, order_placed, order_paid, order_shipped',
};

forEachEngine((engine) => {
  test('every projection template', () =>
    withTestStore(engine, async ({ store, raw }) => {
      for (const { streamId, type, data, createdAt } of history) {
        await append(store, streamId, [makeEvent({ type, data: JSON.stringify(data), createdAt })]);
      }
      const templates = [orderCustomers, orderSearch, orderSummary, ordersByDay];
      const results = await runProjections({
        store,
        projections: templates.map((each) => prepareProjection(each)),
        owner: 'test',
        once: true,
        signal: new AbortController().signal,
        report: () => {},
      });
      expect(results.map(({ error }) => error)).toEqual([null, null, null, null]);
      for (const template of templates) {
        const name = template.name as keyof typeof columns;
        const stored = await raw.query(`select ${columns[name]} from ${name}`);
        const expected = await projectionScenario(template)
          .given(...history)
          .rows();
        expect(expected.length).toBeGreaterThan(1);
        expect(sorted(stored.map(toText))).toEqual(sorted(expected.map((row) => toText(chosen(row, columns[name])))));
      }
    }));
});

/** Of a row with properties or columns, the columns of a list. */
function chosen(row: Readonly<Record<string, unknown>>, list: string): Record<string, unknown> {
  const property = (column: string) => column.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(list.split(', ').map((column) => [column, row[column] ?? row[property(column)] ?? null]));
}

/** Postgres gives a bigint as text. */
function toText(row: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(Object.entries(row).map(([column, value]) => [column, value === null ? null : String(value)]));
}

function sorted(rows: readonly string[]): readonly string[] {
  return [...rows].sort();
}

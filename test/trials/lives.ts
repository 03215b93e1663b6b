/** The lives of orders: ten events each, of many orders at once, about two hundred bytes an event. */
import { importOf, type TrialStore } from './trial.js';

export const lifeTable = 'order_lives';

/** How many rows there are, and how many events they were made of. */
export const countsOfLife = `select count(*) as orders, sum(events) as total from ${lifeTable}`;

const types = [
  'OrderPlaced',
  'ItemAdded',
  'ItemAdded',
  'AddressGiven',
  'PaymentAsked',
  'PaymentReceived',
  'OrderPacked',
  'OrderShipped',
  'OrderDelivered',
  'OrderClosed',
];

export function lifeCode(): string {
  return `${importOf('defineProjection', 'projection/define/definition')}
const count = (row, { data, type }) => ({
  events: (row?.events ?? 0) + 1,
  amount: (row?.amount ?? 0) + data.amount,
  state: type,
});
export default defineProjection({
  name: '${lifeTable}',
  version: 1,
  category: 'Order',
  table: {
    columns: { orderId: 'text', events: 'integer', amount: 'bigint', state: 'text' },
    key: 'orderId',
    indexes: ['state', 'amount'],
  },
  on: { ${[...new Set(types)].map((type) => `${type}: count`).join(', ')} },
});
`;
}

/** Orders that live at the same time. */
const abreast = 1_000;
const slice = 50_000;

/** Straight into the log, as any program may write it. */
export async function writeLives({ engine, raw }: TrialStore, events: number): Promise<void> {
  for (let from = 0; from < events; from += slice) {
    await raw.query(insertLives(engine, from, Math.min(events, from + slice)));
  }
  await raw.query('analyze');
}

function insertLives(engine: TrialStore['engine'], from: number, to: number): string {
  const isPostgres = engine === 'postgres';
  const numbers = isPostgres
    ? `select n::bigint from generate_series(${from}, ${to - 1}) n`
    : `with recursive numbers(n) as (select ${from} union all select n + 1 from numbers where n < ${to - 1}) select n from numbers`;
  // The n-th event is a step in the life of one of the orders that live then.
  const order = `(n / ${abreast * 10}) * ${abreast} + n % ${abreast}`;
  const step = `(n / ${abreast}) % 10`;
  const type = `case ${step} ${types.map((name, place) => `when ${place} then '${name}'`).join(' ')} end`;
  const note = 'x'.repeat(120);
  const data = `'{"amount":' || (n % 97) || ',"customer":"customer-' || (n % 5000) || '","note":"${note}"}'`;
  return `insert into events (stream_id, stream_type, event_type, event_data, version)
    select 'Order-' || (${order}), 'Order', ${type}, ${isPostgres ? `(${data})::json` : data}, ${step} + 1
      from (${numbers}) as numbered order by n`;
}

/** The log every benchmark reads or writes: orders of ten events each, many open at a time. The same every time. */
import { makeRandom, type Random } from '../../test/support/random.js';

export const eventsPerOrder = 10;

export interface OrderEvent {
  /** Where it stands in a log that holds nothing else: from 1, without gaps. */
  readonly position: number;
  readonly id: string;
  readonly streamId: string;
  readonly version: number;
  readonly type: string;
  /** JSON; with the metadata about 200 bytes. */
  readonly data: string;
  readonly metadata: string;
  readonly createdAt: string;
}

interface OpenOrder {
  readonly number: number;
  readonly metadata: string;
  version: number;
  cents: number;
}

const seed = 20_260_101;
/** Orders that events come for at the same time. */
const openOrders = 1_000;
const beginsAt = Date.UTC(2026, 0, 1);
const products = ['Kettle', 'Desk lamp', 'Notebook', 'Rain jacket', 'Headphones', 'Water bottle', 'Chess set', 'Globe'];

/** @param first the number of the first order: logs of different numbers share no stream */
export function* makeOrders(events: number, first = 1): Generator<OrderEvent> {
  const random = makeRandom(seed + first);
  const orders = Math.ceil(events / eventsPerOrder);
  let next = first;
  const open: OpenOrder[] = [];
  const begin = (): OpenOrder => ({
    number: next++,
    metadata: `{"correlationId":"${makeUuid(random)}"}`,
    version: 0,
    cents: 0,
  });
  while (open.length < Math.min(openOrders, orders)) open.push(begin());
  for (let position = 1; position <= events; position += 1) {
    const place = random.below(open.length);
    const order = open[place] as OpenOrder;
    order.version += 1;
    const { type, data } = describe(order, random);
    yield {
      position,
      id: makeUuid(random),
      streamId: `Order-${order.number}`,
      version: order.version,
      type,
      data,
      metadata: order.metadata,
      createdAt: new Date(beginsAt + position * 10).toISOString(),
    };
    if (order.version < eventsPerOrder) continue;
    if (next < first + orders) open[place] = begin();
    else open.splice(place, 1);
  }
}

function describe(order: OpenOrder, random: Random): { type: string; data: string } {
  switch (order.version) {
    case 1:
      return {
        type: 'OrderPlaced',
        data: `{"orderId":"Order-${order.number}","customerId":"Customer-${random.below(20_000)}","currency":"EUR","channel":"web","country":"PT","express":false}`,
      };
    case 7:
      return {
        type: 'OrderPaid',
        data: `{"method":"card","amount":${toAmount(order.cents)},"currency":"EUR","reference":"${makeUuid(random)}","attempts":1,"fraudScore":0.${random.below(90) + 10}}`,
      };
    case 8:
      return {
        type: 'OrderPacked',
        data: `{"warehouse":"Lisbon-${random.below(9) + 1}","station":${random.below(40)},"parcels":1,"weightGrams":${random.below(9_000) + 200},"packedBy":"Employee-${random.below(300)}","fragile":false}`,
      };
    case 9:
      return {
        type: 'OrderShipped',
        data: `{"carrier":"CTT Expresso","tracking":"${makeUuid(random)}","service":"standard","parcels":1,"insured":true}`,
      };
    case 10:
      return {
        type: 'OrderDelivered',
        data: `{"signedBy":"Customer-${random.below(20_000)}","place":"front door","attempts":${random.below(3) + 1},"photo":"${makeUuid(random)}","late":false}`,
      };
    default:
      return { type: 'ItemAdded', data: describeItem(order, random) };
  }
}

function describeItem(order: OpenOrder, random: Random): string {
  const quantity = random.below(5) + 1;
  const cents = random.below(20_000) + 99;
  order.cents += quantity * cents;
  const name = products[random.below(products.length)];
  return `{"sku":"SKU-${random.below(90_000) + 10_000}","name":"${name}","quantity":${quantity},"unitPrice":${toAmount(cents)},"currency":"EUR","giftWrap":false,"stock":${random.below(900)}}`;
}

function toAmount(cents: number): string {
  return (cents / 100).toFixed(2);
}

/** Version 4, from the seed. */
function makeUuid(random: Random): string {
  const hex = () =>
    Math.floor(random.next() * 4_294_967_296)
      .toString(16)
      .padStart(8, '0');
  const [a, b, c, d] = [hex(), hex(), hex(), hex()] as const;
  return `${a}-${b.slice(0, 4)}-4${b.slice(5)}-a${c.slice(1, 4)}-${c.slice(4)}${d}`;
}

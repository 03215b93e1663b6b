/**
 * The log that bench/questions.ts asks about: orders with their payments, twenty events in two streams with one correlation id,
 * each event caused by the one before. Twenty types with unequal shares, sixty days. The same every time, and a log of any length
 * has the same shape.
 */
import { createWriteStream, existsSync, mkdirSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { makeRandom, type Random } from '../../test/support/random.js';

/** Of an order and its payment. */
const eventsPerOrder = 20;
/** Thirteen events of it are in a log of any length. */
export const rarest = 'ChargebackReceived';
/** Shares of the log that are written one after the other, so that projections can stop in between. */
const parts = [0.1, 0.4, 0.5] as const;

/** O and P: the next event is of the order, or of its payment. */
const turns = 'OOOOOOOOPPPOOPOOPOPO';
const openOrders = 200;
const seed = 20_261_130;
const beginsAt = Date.UTC(2026, 0, 1);
const lastsMs = 60 * 86_400_000;

interface OpenOrder {
  readonly number: number;
  readonly correlationId: string;
  cause: string | undefined;
  turn: number;
  order: number;
  payment: number;
}

/** Returns the path of a file in the format of `COPY` for each part, written if it is not there. */
export async function makeQuestionFiles(events: number): Promise<readonly string[]> {
  const folder = join(tmpdir(), 'evstore-bench');
  const paths = parts.map((_, part) => join(folder, `questions-${events}-${part + 1}.copy`));
  if (paths.every((path) => existsSync(path))) return paths;
  mkdirSync(folder, { recursive: true });
  const rows = renderRows(events);
  for (const [part, path] of paths.entries()) {
    const unfinished = `${path}.${process.pid}`;
    const length = Math.round(events * (parts[part] ?? 0));
    await pipeline(Readable.from(take(rows, length)), createWriteStream(unfinished));
    renameSync(unfinished, path);
  }
  return paths;
}

/** Pieces of some hundred kilobytes. */
function* take(rows: Generator<string>, length: number): Generator<string> {
  for (let done = 0; done < length; ) {
    const piece: string[] = [];
    while (done < length && piece.length < 1_000) {
      piece.push(rows.next().value as string);
      done += 1;
    }
    yield piece.join('');
  }
}

/** Columns as in `copyColumns`. Nothing in them needs escaping. */
function* renderRows(events: number): Generator<string> {
  const random = makeRandom(seed);
  const orders = Math.ceil(events / eventsPerOrder);
  let next = 1;
  const begin = (): OpenOrder => ({
    number: next++,
    correlationId: makeUuid(random),
    cause: undefined,
    turn: 0,
    order: 0,
    payment: 0,
  });
  const open = Array.from({ length: Math.min(openOrders, orders) }, begin);
  for (let place = 1; place <= events; place += 1) {
    const at = random.below(open.length);
    const order = open[at] as OpenOrder;
    const isOrder = turns[order.turn] === 'O';
    const version = isOrder ? ++order.order : ++order.payment;
    const [type, data] = isOrder ? describeOrder(order, random) : describePayment(order, random, orders);
    const id = makeUuid(random);
    const cause = order.cause === undefined ? '' : `,"causationId":"${order.cause}"`;
    const category = isOrder ? 'Order' : 'Payment';
    const createdAt = new Date(beginsAt + Math.floor((place * lastsMs) / events)).toISOString();
    order.cause = id;
    order.turn += 1;
    yield `${id}\t${category}-${order.number}\t${category}\t${type}\t1\t${data}\t{"correlationId":"${order.correlationId}"${cause}}\t${version}\t${createdAt}\n`;
    if (order.turn < eventsPerOrder) continue;
    if (next <= orders) open[at] = begin();
    else open.splice(at, 1);
  }
}

function describeOrder({ order: version, number }: OpenOrder, random: Random): [type: string, data: string] {
  const chance = random.next();
  switch (version) {
    case 1:
      return ['OrderPlaced', `{"customerId":"Customer-${random.below(20_000)}","currency":"EUR","channel":"web"}`];
    case 9:
      return ['AddressConfirmed', `{"country":"PT","postcode":"${1000 + random.below(8_000)}"}`];
    case 10:
      return ['OrderSubmitted', `{"total":${random.below(1_000)},"items":7}`];
    case 11:
      return [chance < 0.9 ? 'OrderPacked' : 'OrderBackordered', `{"warehouse":"Lisbon-${random.below(9) + 1}"}`];
    case 12:
      return ['OrderShipped', `{"carrier":"CTT Expresso","tracking":"${makeUuid(random)}"}`];
    case 13:
      return [chance < 0.95 ? 'OrderDelivered' : 'OrderReturned', `{"place":"front door","attempts":1}`];
    case 14:
      return ['OrderClosed', `{"order":${number}}`];
    default: {
      const type =
        chance < 0.8 ? 'ItemAdded' : chance < 0.9 ? 'ItemRemoved' : chance < 0.96 ? 'ItemMoved' : 'NoteAdded';
      return [type, `{"sku":"SKU-${10_000 + random.below(90_000)}","quantity":${random.below(5) + 1}}`];
    }
  }
}

function describePayment(
  { payment: version, number }: OpenOrder,
  random: Random,
  orders: number,
): [type: string, data: string] {
  const amount = `{"amount":${random.below(100_000)}}`;
  switch (version) {
    case 1:
      return ['PaymentRequested', amount];
    case 2:
      return ['PaymentAuthorised', amount];
    case 3:
      // What the projection of payments cannot handle: two events of any log.
      return ['PaymentCaptured', number === 7 || number === 11 ? '{"amount":null}' : amount];
    case 4:
      return ['PaymentSettled', amount];
    case 6:
      if (number % Math.floor(orders / 12) === 1) return [rarest, amount];
      return [random.next() < 0.04 ? 'PaymentDisputed' : 'InvoiceSent', amount];
    default:
      return ['InvoiceSent', amount];
  }
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

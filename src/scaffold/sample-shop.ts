/** Makes the events of a small shop, always the same: orders that are placed, paid, and shipped or cancelled. */

export interface ShopEvent {
  readonly id: string;
  readonly streamId: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata: { readonly correlationId: string; readonly causationId?: string };
  readonly createdAt: string;
}

const firstNames = ['Ada', 'Bo', 'Chidi', 'Dina', 'Emre', 'Femi', 'Grace', 'Hana', 'Ivo', 'Jun', 'Kim', 'Lea'];
const cities = ['Zürich', 'Lagos', 'Kyoto', 'Quito', 'Oslo', 'Pune', 'Turin'];
const firstMoment = Date.UTC(2026, 0, 1, 8);
const minute = 60_000;

/** Returns events in the order in which they happened. @param orders the number of orders, of 3 or 4 events each */
export function makeShopEvents(orders: number): readonly ShopEvent[] {
  const random = makeRandom(20_260_101);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const events: ShopEvent[] = [];
  for (let order = 1; order <= orders; order++) {
    const total = 500 + Math.floor(random() * 20_000);
    let at = firstMoment + order * 7 * minute;
    let cause: string | undefined;
    const happen = (streamId: string, type: string, data: Readonly<Record<string, unknown>>) => {
      const correlationId = `order-${order}`;
      const metadata = { correlationId, ...(cause !== undefined && { causationId: cause }) };
      cause = toId(events.length, random);
      events.push({ id: cause, streamId, type, data, metadata, createdAt: new Date(at).toISOString() });
      at += Math.floor(random() * 90) * minute + 1;
    };
    happen(`Order-${order}`, 'OrderPlaced', { customer: pick(firstNames), city: pick(cities), total });
    happen(`Payment-${order}`, 'PaymentReceived', { order: `Order-${order}`, amount: total });
    happen(`Order-${order}`, 'OrderPaid', { amount: total });
    if (random() < 0.9) happen(`Order-${order}`, 'OrderShipped', { parcel: `P-${1000 + order}` });
  }
  return events.sort((a, b) => (a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : 0));
}

/** Mulberry32: a small generator that gives the same numbers on every machine. */
function makeRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Returns a UUID v8 made from the event's place, so that a second import recognises every event. */
function toId(place: number, random: () => number): string {
  const hex = (digits: number) =>
    Math.floor(random() * 16 ** digits)
      .toString(16)
      .padStart(digits, '0');
  return `${place.toString(16).padStart(8, '0')}-${hex(4)}-8${hex(3)}-9${hex(3)}-${hex(6)}${hex(6)}`;
}

/** An aggregate of orders, whose state tells every event that it was folded from. */
import { defineAggregate } from '../../src/aggregate/definition.js';

export interface OrderState {
  readonly status: 'new' | 'open' | 'shipped';
  readonly total: number;
  readonly lines: readonly { readonly sku: string; readonly price: number }[];
  /** The versions of the events, in the order in which they were folded. */
  readonly seen: readonly number[];
}

export type OrderCommand =
  | { readonly kind: 'place'; readonly sku: string; readonly price: number }
  | { readonly kind: 'ship' }
  | { readonly kind: 'look' };

export class OrderRefused extends Error {}

export const order = defineAggregate({
  name: 'order',
  category: 'Order',
  version: 1,
  initial: (): OrderState => ({ status: 'new', total: 0, lines: [], seen: [] }),
  evolve: {
    LineAdded: (state, { data, version }) => ({
      ...state,
      status: 'open',
      total: state.total + data.price,
      lines: [...state.lines, { sku: data.sku, price: data.price }],
      seen: [...state.seen, version],
    }),
    OrderShipped: (state, { version }) => ({ ...state, status: 'shipped', seen: [...state.seen, version] }),
  },
  decide: (state, command: OrderCommand, { version }) => {
    if (command.kind === 'look') return [];
    if (state.status === 'shipped') throw new OrderRefused(`shipped at version ${version}`);
    if (command.kind === 'ship') return { type: 'OrderShipped', data: {} };
    return [{ type: 'LineAdded', data: { sku: command.sku, price: command.price, at: version } }];
  },
  snapshot: { every: 5 },
});

export const place = (price: number): OrderCommand => ({ kind: 'place', sku: `sku-${price}`, price });

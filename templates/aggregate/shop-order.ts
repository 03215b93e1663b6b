/**
 * Shop order: decides on commands by the state that its events make. `store.handle(shopOrder, id, command)` loads the
 * state, decides and appends; `store.load(shopOrder, id)` only loads. Change `version` whenever `initial` or `evolve`
 * changes.
 */
import { defineAggregate } from 'evstore';

interface State {
  /** The type of the last event; null before the first. */
  readonly status: string | null;
  readonly events: number;
}

/** A command records the event of its name. */
interface Command {
  readonly record: 'OrderPlaced' | 'OrderPaid' | 'OrderShipped';
  readonly data: Readonly<Record<string, unknown>>;
}

export default defineAggregate({
  name: 'shop_order',
  category: 'Order',
  version: 1,
  initial: (): State => ({ status: null, events: 0 }),
  evolve: {
    OrderPlaced: (state, { type }) => ({ status: type, events: state.events + 1 }),
    OrderPaid: (state, { type }) => ({ status: type, events: state.events + 1 }),
    OrderShipped: (state, { type }) => ({ status: type, events: state.events + 1 }),
  },
  decide: (state, { record, data }: Command) => {
    if (record === 'OrderPlaced' && state.events > 0) throw new Error('it exists already');
    if (record !== 'OrderPlaced' && state.events === 0) throw new Error('it does not exist yet');
    return { type: record, data };
  },
});

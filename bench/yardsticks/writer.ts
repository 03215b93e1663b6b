/** Who appends: evstore or another, by the same measure. */
import { makeOrders } from '../data/orders.js';

export interface NewOrderEvent {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Appends to a stream that is at `version`; done when the database has acknowledged the commit. */
export type Write = (stream: string, version: number, events: readonly NewOrderEvent[]) => Promise<unknown>;

export interface Writers {
  readonly writes: readonly Write[];
  close(): Promise<void>;
}

/** As a program has them: values, not text. */
export const sampleEvents: readonly NewOrderEvent[] = [...makeOrders(10_000)].map(({ type, data, metadata }) => ({
  type,
  data: JSON.parse(data),
  metadata: JSON.parse(metadata),
}));

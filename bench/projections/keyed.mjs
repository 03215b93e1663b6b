/** So many rows, each of events from everywhere in the log: the least that a cache of rows can hope for. */
import { defineProjection } from '../../dist/src/index.js';

const eventsPerOrder = 10;
/** Shares no divisor with a round number of rows. */
const stride = 7_919;

export function defineKeyed(name, rows) {
  return defineProjection({
    name,
    version: 1,
    category: 'Order',
    table: {
      columns: { place: 'bigint', events: 'integer', lastType: 'text', lastAt: 'timestamp' },
      key: 'place',
    },
    key: ({ streamId, version }) => {
      const number = (Number(streamId.slice('Order-'.length)) - 1) * eventsPerOrder + version - 1;
      return (number * stride) % rows;
    },
    on: {
      '*': (row, { type, createdAt }) => ({ events: (row?.events ?? 0) + 1, lastType: type, lastAt: createdAt }),
    },
  });
}

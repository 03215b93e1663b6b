/** A row for each order, by a handler that takes as long as it is told: what several processes have to share. */
import { createHash } from 'node:crypto';
import { defineProjection } from '../../dist/src/index.js';

/** @param rounds of SHA-256 over a kilobyte for each event, about 3 µs each */
export function defineFanned(name, rounds) {
  const work = (text) => {
    let digest = text.padEnd(1_024);
    for (let round = 0; round < rounds; round += 1)
      digest = createHash('sha256').update(digest).digest('hex').padEnd(1_024);
    return digest.slice(0, 8);
  };
  return defineProjection({
    name,
    version: 1,
    table: { columns: { orderId: 'text', events: 'integer', lastAt: 'timestamp', digest: 'text' }, key: 'orderId' },
    on: {
      '*': (row, { id, createdAt }) => ({ events: (row?.events ?? 0) + 1, lastAt: createdAt, digest: work(id) }),
    },
  });
}

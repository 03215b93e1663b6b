/** Six programs that read and four that append while versions of a read model are rebuilt, swapped in and taken back. */
import { openStoreAt } from '../../src/store/open.js';
import { makeRandom } from '../../test/support/random.js';
import { swapUnderReaders } from '../../test/trials/swaps-under-readers.js';
import { atMost } from '../measure.js';
import type { Measured } from '../report.js';
import type { Work } from './work.js';

export const work: Work = {
  summary: 'how long readers wait while a rebuild swaps, and what they see; --runs is how many swaps',
  events: 0,
  runs: 30,
  run: async ({ place, runs: swaps, say }) => {
    const { engine } = place;
    const placed = await place.makeStore();
    const store = await openStoreAt(placed.url, { create: true });
    try {
      const { url, raw, connect } = placed;
      const open = async () => store;
      const report = await swapUnderReaders(
        { test: { engine, url, store, raw, open, connect }, random: makeRandom(1), say },
        { swaps },
      );
      const wait = (name: string, phase: string, figure: string): Measured => ({
        name,
        figures: [Number(report.rows?.find((row) => row.phase === phase)?.[figure])],
      });
      return [
        {
          title: `reads while ${swaps} versions are swapped in on ${engine}`,
          unit: 'ms',
          measured: [
            { ...wait('p99 while swapping', 'swapping', 'p99 ms'), limit: atMost(100) },
            wait('p99 while a rebuild fills', 'filling', 'p99 ms'),
            wait('p99 while nothing is rebuilt', 'quiet', 'p99 ms'),
            wait('longest while swapping', 'swapping', 'longest ms'),
            wait('longest while nothing is rebuilt', 'quiet', 'longest ms'),
          ],
        },
        {
          title: `reads of a table that is missing, mixed, or behind an earlier read, on ${engine}`,
          unit: '',
          measured: [
            { name: 'of all reads', figures: [report.findings.length], limit: atMost(0) },
            ...report.findings.slice(0, 5).map((failure) => ({ name: 'seen', figures: [], failure })),
          ],
        },
      ];
    } finally {
      await store.close();
      await placed.remove();
    }
  },
};

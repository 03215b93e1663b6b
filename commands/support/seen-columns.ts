/** Columns that lists of streams and of types have in common: when the first and the last event was recorded, and where. */
import { showTime } from '../../src/output/relative-time.js';
import type { View } from '../../src/output/view.js';
import type { ListColumn } from './print-list.js';

interface Seen {
  readonly firstAt: string;
  readonly lastAt: string;
  readonly lastPosition: number;
}

interface SeenColumns {
  readonly firstAt: ListColumn<Seen>;
  readonly lastAt: ListColumn<Seen>;
  readonly lastPosition: ListColumn<Seen>;
}

export function seenColumnsIn(view: View): SeenColumns {
  const ago = (time: string) => showTime(time, view, 'relative');
  const paint = view.theme.faint;
  return {
    firstAt: {
      heading: 'firstAt',
      title: 'first',
      field: ({ firstAt }) => firstAt,
      text: ({ firstAt }) => ago(firstAt),
      paint,
      rank: 'low',
    },
    lastAt: {
      heading: 'lastAt',
      title: 'last',
      field: ({ lastAt }) => lastAt,
      text: ({ lastAt }) => ago(lastAt),
      paint,
    },
    lastPosition: {
      heading: 'lastPosition',
      title: 'last position',
      field: ({ lastPosition }) => lastPosition,
      align: 'right',
      rank: 'low',
    },
  };
}

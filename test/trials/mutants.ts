/** Evstore with one thing wrong. A trial that lets it pass proves nothing. */
import type { Mutation } from '../support/compile.js';

const drivers = ['postgres', 'sqlite'] as const;

/** The checkpoint moves in a transaction of its own, before the rows. */
export const cursorOutsideTransaction: readonly Mutation[] = drivers.map((driver) => ({
  file: `src/store/${driver}/projection-store.js`,
  from: /(?<=if \(moved === undefined\)\s+throw superseded\(lease\);)/,
  to:
    driver === 'postgres'
      ? `await session.query('commit'); await session.query('begin');`
      : `session.execute('commit'); session.execute('begin immediate');`,
}));

/** A runner moves the checkpoint from wherever it is. */
export const noComparedPosition: readonly Mutation[] = drivers.map((driver) => ({
  file: `src/store/${driver}/sql/move-checkpoint.sql`,
  from: / and last_position = [$?]4/,
  to: '',
}));

/** A runner moves the checkpoint whoever has the lease. */
export const noCompareAndSet: readonly Mutation[] = drivers.map((driver) => ({
  file: `src/store/${driver}/sql/move-checkpoint.sql`,
  from: /( where subscription_id = [$?]1).*/,
  to:
    driver === 'postgres'
      ? ' where subscription_id = $1 and $2 > 0 and $3 >= 0'
      : ' where subscription_id = ?1 and ?2 > 0 and ?3 >= 0',
}));

/** The tables change names as they are, without what came in since the rebuild was level. */
export const swapWithoutDrain: readonly Mutation[] = [
  {
    file: 'src/projection/switch-tables.js',
    from: /await drain\(options, catchUp, live\.position, deadline\);/,
    to: ';',
  },
  ...drivers.map((driver) => ({
    file: `src/store/${driver}/swap.js`,
    from: 'if (journal.position < checkpoint.position)',
    to: 'if (false)',
  })),
];

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

const comparison = 'token = $2 and generation = $3 and last_position = $4 and owner is not null';

/** A runner moves the checkpoint whoever has the lease, and wherever it is; nor does its heartbeat tell it. */
export const noCompareAndSet: readonly Mutation[] = [
  ...drivers.map((driver) => {
    const from = driver === 'postgres' ? comparison : comparison.replaceAll('$', '?');
    return { file: `src/store/${driver}/read-models/sql/move-checkpoint.sql`, from, to: `(${from} or true)` };
  }),
  { file: 'src/lease/heartbeat.js', from: /this\.#lost\.abort\(/, to: 'void (' },
];

/** The tables change names as they are, without what came in since the rebuild was level. */
export const swapWithoutDrain: readonly Mutation[] = [
  {
    file: 'src/projection/swap/swap-tables.js',
    from: /await drain\(options, catchUp, Math\.max\(live\.position, last\), deadline\);/,
    to: ';',
  },
  {
    file: 'src/store/shared/journal.js',
    from: /if \(journal\.position < live\.furthest\)/,
    to: 'if (false)',
  },
];

/** A process gives an instance away with each record, while it acts on it. */
export const releasedWhileActing: readonly Mutation[] = [
  { file: 'src/saga/flight.js', from: 'this.lost.aborted ? undefined : holder', to: 'null' },
];

/** The checkpoint of a saga moves past events whose instances are not started yet. */
export const checkpointBeforeStarts: readonly Mutation[] = [
  {
    file: 'src/saga/reader.js',
    from: /await this\.start\(taken\);\s+await this\.deliver\(taken\);(?=\s+const end)/,
    to: '',
  },
  {
    file: 'src/saga/reader.js',
    from: 'await place.move(end, seen, aside);',
    to: `await place.move(end, seen, aside);
        await new Promise((resolve) => setTimeout(resolve, 1_500));
        await this.start(taken);
        await this.deliver(taken);`,
  },
];

/** Compensations go from the first step to the last. */
export const compensatedInOrder: readonly Mutation[] = [
  {
    file: 'src/saga/decide.js',
    from: 'state.steps.findLast(needsCompensation)',
    to: 'state.steps.find(needsCompensation)',
  },
];

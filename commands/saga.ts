/** `evstore saga`: list and show saga instances, and those that no longer move; retry a parked one. */
import { formatDuration } from '../src/domain/duration.js';
import { EvstoreError } from '../src/domain/errors.js';
import { activePhases, endPhases, type SagaPhase } from '../src/domain/saga-phase.js';
import { shellWord } from '../src/domain/shell-word.js';
import { ownerName } from '../src/lease/owner.js';
import type { Mark } from '../src/output/glyphs.js';
import { renderReport } from '../src/output/json-line.js';
import {
  assertSagaKnown,
  describe,
  type InstanceReport,
  inspectInstance,
  listInstances,
  type StepDetail,
} from '../src/saga/inspect.js';
import { findRetryable } from '../src/saga/operate.js';
import { defaultGraceMs } from '../src/saga/report.js';
import { retryNow } from '../src/saga/retry-now.js';
import { findUnsettled } from '../src/saga/unsettled.js';
import { sanitise } from '../src/terminal/sanitise.js';
import type { Command } from './options/command.js';
import { option } from './options/option.js';
import { duration, oneOf, wholeNumber } from './options/parse-option.js';
import { dryRunOption } from './options/shared-options.js';
import { type ListColumn, printList } from './support/print-list.js';
import { selectSaga } from './support/run-code.js';

const defaultLimit = 50;
const defaultOverdueMs = 60 * 60 * 1_000;
const phases: readonly SagaPhase[] = [...activePhases, ...endPhases];

const list: Command = {
  usage: 'list [saga]',
  summary: 'list instances, most recently changed first',
  writes: 'nothing',
  examples: [
    { line: 'evstore saga list', purpose: 'instances of all sagas' },
    {
      line: 'evstore saga list order_fulfilment --state compensation-failed',
      purpose: 'the instances that need an operator',
    },
  ],
  options: [
    option('--state <state>', `only in this state: ${phases.join(', ')}`, oneOf(...phases)),
    option('-n, --limit <count>', `the maximum number of instances (default: ${defaultLimit})`, wholeNumber(1)),
  ],
  run: async ([saga], flags, context) => {
    const { state, limit = defaultLimit } = flags as { readonly state?: SagaPhase; readonly limit?: number };
    const store = await context.openStore();
    if (saga !== undefined) await assertSagaKnown(store, saga);
    const instances = await listInstances(store, { saga, state, limit });
    await printList(context, instances, instanceColumns, {
      report: { instances },
      nothing: (saga ?? state) === undefined ? 'no saga was started yet' : 'no instance matched',
      mark: markOf,
    });
    return instances.length === 0 && (saga ?? state) !== undefined ? 6 : 0;
  },
};

const show: Command = {
  usage: 'show <saga> [instance]',
  summary: 'show one instance, step by step',
  writes: 'nothing',
  examples: [{ line: 'evstore saga show order_fulfilment Order-1', purpose: 'show steps, attempts and compensations' }],
  options: [],
  run: async ([saga = '', id], _flags, context) => {
    const store = await context.openStore();
    if (id === undefined) {
      await assertSagaKnown(store, saga);
      throw new EvstoreError('E_USAGE', `no instance of ${saga} was named`, {
        next: `evstore saga list ${shellWord(saga)}`,
      });
    }
    const instance = await inspectInstance(store, saga, id);
    const isForPeople = context.format({ people: 'table', pipe: 'tsv' }) === 'table' && !context.quiet;
    if (isForPeople) {
      const { renderInstance } = await import('../src/output/saga-text.js');
      await context.io.stdout.write(renderInstance(instance, context.view));
    } else {
      await context.note(headline(instance));
      await printList(context, instance.steps, stepColumns, { report: instance, nothing: 'no step was taken yet' });
    }
    if (instance.state === 'compensation-failed') {
      await context.note(`mend the cause, then: evstore saga retry ${shellWord(saga)} ${shellWord(id)}`);
    }
    return 0;
  },
};

const overdue: Command = {
  usage: 'overdue [saga]',
  summary: 'list instances that have not ended and no longer move, longest first',
  writes: 'nothing',
  examples: [
    { line: 'evstore saga overdue', purpose: 'instances that have not moved for an hour' },
    { line: 'evstore saga overdue order_fulfilment --older-than 5m', purpose: 'of one saga, for five minutes' },
  ],
  options: [option('--older-than <duration>', 'that have not moved for this long (default: 1h)', duration)],
  run: async ([saga], flags, context) => {
    const { olderThan = defaultOverdueMs } = flags as { readonly olderThan?: number };
    const store = await context.openStore();
    if (saga !== undefined) await assertSagaKnown(store, saga);
    const now = context.io.now().getTime();
    const { instances, isComplete } = await findUnsettled(store);
    const found = instances
      .map(({ report, movedAt, owner }) => ({ ...report, movedAt, stillMs: now - Date.parse(movedAt), owner }))
      .filter((each) => each.stillMs >= olderThan && (saga === undefined || each.saga === saga))
      .toSorted((a, b) => b.stillMs - a.stillMs);
    await printList(context, found, overdueColumns, {
      report: { instances: found, isComplete },
      nothing: `no instance has been still for ${formatDuration(olderThan)}`,
      mark: markOf,
    });
    if (!isComplete) await context.warn('not all instances were looked at; there may be others');
    return 0;
  },
};

const retry: Command = {
  usage: 'retry <saga> <instance>',
  summary: 'retry a compensation that kept failing, then continue the saga',
  writes: 'events to the stream of the instance, and whatever its compensations write',
  examples: [
    { line: 'evstore saga retry order_fulfilment Order-1', purpose: 'after the cause of the failure is fixed' },
  ],
  options: [dryRunOption()],
  run: async ([name = '', id = ''], flags, context) => {
    const sagas = await selectSaga(context, flags, name);
    const store = await context.openStore();
    const asJson = context.asJson;
    if (flags.dryRun === true) {
      const { instance, step } = await findRetryable(store, name, id);
      const isBackward = instance.state.phase.startsWith('compensat');
      const planned = `${name} ${id}: would retry ${isBackward ? 'the compensation of ' : ''}${step}`;
      await context.io.stdout.write(
        asJson ? renderReport({ ...describe(instance.state), step, dryRun: true }) : `${sanitise(planned)}\n`,
      );
      return 0;
    }
    const options = { store, sagas, owner: ownerName(), signal: context.io.signal, graceMs: defaultGraceMs };
    const { state, left } = await retryNow(name, id, options);
    if (left !== undefined) await context.warn(`not driven: ${left}`);
    const report = describe(state);
    await context.io.stdout.write(
      asJson ? renderReport({ ...report, dryRun: false }) : `${sanitise(headline(report))}\n`,
    );
    return state.phase === 'compensated' || state.phase === 'completed' ? 0 : 1;
  },
};

export const command: Command = {
  usage: 'saga',
  writes: 'nothing, except saga retry',
  examples: [
    { line: 'evstore saga list', purpose: 'the state of each instance' },
    { line: 'evstore saga retry order_fulfilment Order-1', purpose: 'retry a compensation that kept failing' },
  ],
  options: [],
  subcommands: [list, show, overdue, retry],
};

function headline({ saga, instance, state, version, reason }: InstanceReport): string {
  return `${saga} ${instance}: ${state}, version ${version}${reason === null ? '' : `, because ${reason}`}`;
}

function markOf({ state, error }: InstanceReport): Mark {
  if (state === 'compensation-failed') return 'bad';
  if (state === 'compensating' || error !== null) return 'caution';
  return state === 'running' ? 'active' : 'idle';
}

const instanceColumns: readonly ListColumn<InstanceReport>[] = [
  { heading: 'saga', field: ({ saga }) => saga, rank: 'low' },
  { heading: 'instance', field: ({ instance }) => instance, isName: true },
  { heading: 'state', field: ({ state }) => state, rank: 'high' },
  { heading: 'version', field: ({ version }) => version, align: 'right', rank: 'low' },
  { heading: 'step', field: ({ steps }) => steps.at(-1)?.name ?? null },
  { heading: 'reason', field: ({ reason }) => reason, rank: 'low' },
  { heading: 'error', field: ({ error }) => error, isBelow: true },
];

const stepColumns: readonly ListColumn<StepDetail>[] = [
  { heading: 'step', field: ({ name }) => name },
  { heading: 'state', field: ({ state }) => state, rank: 'high' },
  { heading: 'attempts', field: ({ attempts }) => attempts, align: 'right' },
  { heading: 'compensations', field: ({ compensations }) => compensations, align: 'right' },
  { heading: 'error', field: ({ error }) => error, isBelow: true },
  {
    heading: 'compensationError',
    field: ({ compensationError }) => compensationError,
    isBelow: true,
  },
  { heading: 'startedAt', field: ({ startedAt }) => startedAt },
  { heading: 'endedAt', field: ({ endedAt }) => endedAt },
  { heading: 'compensatedAt', field: ({ compensatedAt }) => compensatedAt },
];

type Overdue = InstanceReport & { readonly movedAt: string; readonly stillMs: number; readonly owner: string | null };

const overdueColumns: readonly ListColumn<Overdue>[] = [
  { heading: 'saga', field: ({ saga }) => saga, rank: 'low' },
  { heading: 'instance', field: ({ instance }) => instance, isName: true },
  { heading: 'state', field: ({ state }) => state, rank: 'high' },
  { heading: 'step', field: ({ steps }) => steps.at(-1)?.name ?? null },
  {
    heading: 'stillMs',
    title: 'still for',
    field: ({ stillMs }) => stillMs,
    text: ({ stillMs }) => formatDuration(stillMs),
    align: 'right',
    rank: 'high',
  },
  { heading: 'owner', field: ({ owner }) => owner },
  { heading: 'error', field: ({ error }) => error, isBelow: true },
];

/** `evstore saga`: list and show saga instances, and those that are overdue; cancel or retry one. */
import { EvstoreError } from '../src/domain/errors.js';
import { activePhases, endPhases, type SagaPhase } from '../src/domain/saga-phase.js';
import { shellWord } from '../src/domain/shell-word.js';
import { nextOf } from '../src/findings/sagas.js';
import { ownerName } from '../src/lease/owner.js';
import { renderReport } from '../src/output/json-line.js';
import { groupDigits } from '../src/output/numbers.js';
import {
  assertInstance,
  assertSagaKnown,
  describe,
  type InstanceReport,
  inspectInstance,
  listInstances,
  type StateCount,
  summarise,
} from '../src/saga/inspect.js';
import { cancelInstance, findCancellable, findRetryable } from '../src/saga/operate.js';
import { findOverdue } from '../src/saga/overdue.js';
import { defaultGraceMs } from '../src/saga/report.js';
import { retryNow } from '../src/saga/retry-now.js';
import { sanitise } from '../src/terminal/sanitise.js';
import type { Command } from './options/command.js';
import { option } from './options/option.js';
import { duration, oneOf, wholeNumber } from './options/parse-option.js';
import { dryRunOption } from './options/shared-options.js';
import { printList } from './support/print-list.js';
import { selectSaga } from './support/run-code.js';
import { instanceColumns, markOf, overdueColumns, stepColumns } from './support/saga-columns.js';

const defaultLimit = 50;
/** The most commands that are told to run next. */
const mostNext = 3;
const phases: readonly SagaPhase[] = [...activePhases, ...endPhases];

const list: Command = {
  usage: 'list [saga]',
  summary: 'list instances, the last moved first',
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
    option('--older-than <duration>', 'only those that have not moved for this long', duration),
    option('-n, --limit <count>', `the maximum number of instances (default: ${defaultLimit})`, wholeNumber(1)),
  ],
  run: async ([saga], flags, context) => {
    const { state, olderThan, limit = defaultLimit } = flags as ListFlags;
    const store = await context.openStore();
    if (saga !== undefined) await assertSagaKnown(store, saga);
    const { instances, counts } = await listInstances(store, { saga, state, olderThanMs: olderThan, limit });
    const isFiltered = (saga ?? state ?? olderThan) !== undefined;
    await printList(context, instances, instanceColumns(context.view), {
      report: { instances, counts },
      nothing: isFiltered ? 'no instance matched' : 'no saga was started yet',
      mark: markOf,
    });
    if (counts.length > 0) await context.note(describeCounts(counts));
    return instances.length === 0 && isFiltered ? 6 : 0;
  },
};

interface ListFlags {
  readonly state?: SagaPhase;
  readonly olderThan?: number;
  readonly limit?: number;
}

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
    const named = `${shellWord(saga)} ${shellWord(id)}`;
    if (instance.state === 'compensation-failed') {
      await context.note(`mend the cause, then: evstore saga retry ${named}`);
    } else if (instance.waitsFor?.kind === 'retry') {
      await context.note(`to retry it at once: evstore saga retry ${named}`);
    } else if (instance.waitsFor !== null) {
      await context.note(`to end it: evstore saga cancel ${named} --reason TEXT`);
    }
    return 0;
  },
};

const overdue: Command = {
  usage: 'overdue [saga]',
  summary: 'list overdue instances; exit 1 if any',
  writes: 'nothing',
  examples: [
    { line: 'evstore saga overdue', purpose: 'exit 1 if an instance of any saga is overdue' },
    { line: 'evstore saga overdue order_fulfilment --older-than 2d', purpose: 'also those that wait for two days' },
  ],
  options: [
    option('--older-than <duration>', 'also those that have not moved for this long, whatever they wait for', duration),
    option('-n, --limit <count>', `the maximum number of instances (default: ${defaultLimit})`, wholeNumber(1)),
  ],
  run: async ([saga], flags, context) => {
    const { olderThan, limit = defaultLimit } = flags as ListFlags;
    const store = await context.openStore();
    if (saga !== undefined) await assertSagaKnown(store, saga);
    const now = context.io.now();
    const { instances: found, isComplete } = await findOverdue(store.sagas, { saga, stillMs: olderThan, limit, now });
    const instances = found.map(({ record, kind, why }) => {
      const stillMs = Math.max(0, now.getTime() - Date.parse(record.movedAt));
      return { ...summarise(record), kind, why, stillMs, next: nextOf(record.saga, record.instance, kind) };
    });
    await printList(context, instances, overdueColumns, {
      report: { instances, isComplete },
      nothing: 'no instance is overdue',
      mark: markOf,
    });
    if (!isComplete) await context.warn(`there are more than ${groupDigits(limit)}; list more with -n`);
    for (const next of new Set(instances.slice(0, mostNext).map((each) => each.next))) {
      await context.note(`next: ${next}`);
    }
    return instances.length === 0 ? 0 : 1;
  },
};

const cancel: Command = {
  usage: 'cancel <saga> <instance>',
  summary: 'compensate what an instance has done',
  writes: 'an event to the stream of the instance; the processes that run the saga compensate it',
  examples: [
    {
      line: 'evstore saga cancel order_fulfilment Order-1 --reason "sold out"',
      purpose: 'the reason is recorded, and compensations see it',
    },
  ],
  options: [option('--reason <text>', 'why, for the record').makeOptionMandatory(), dryRunOption()],
  run: async ([saga = '', id = ''], flags, context) => {
    const reason = String(flags.reason);
    const store = await context.openStore();
    await assertInstance(store, saga, id, 'cancel');
    const { state } = await findCancellable(store, saga, id);
    const print = async (text: string, report: object) =>
      context.io.stdout.write(context.asJson ? renderReport(report) : `${sanitise(text)}\n`);
    if (flags.dryRun === true) {
      await print(`${saga} ${id}: would be cancelled, and compensated`, { ...describe(state), dryRun: true });
      return 0;
    }
    await context.confirm(`Cancel ${saga} ${id}, which is ${state.phase}? What it has done is compensated.`);
    const cancelled = describe((await cancelInstance(store, saga, id, reason)).instance.state);
    await print(headline(cancelled), { ...cancelled, dryRun: false });
    await context.note(
      `a process that runs the saga compensates it; without one: evstore run ${shellWord(saga)} --once --sagas`,
    );
    return 0;
  },
};

const retry: Command = {
  usage: 'retry <saga> <instance>',
  summary: 'retry a compensation, or a step now',
  writes: 'events to the stream of the instance, and whatever its compensations write',
  examples: [
    { line: 'evstore saga retry order_fulfilment Order-1', purpose: 'after the cause of the failure is fixed' },
  ],
  options: [dryRunOption()],
  run: async ([name = '', id = ''], flags, context) => {
    const sagas = await selectSaga(context, flags, name);
    const store = await context.openStore();
    await assertInstance(store, name, id, 'retry');
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
    if (state.phase === 'waiting') {
      await context.note(`it waits; see: evstore saga show ${shellWord(name)} ${shellWord(id)}`);
      return left === undefined ? 0 : 1;
    }
    return state.phase === 'compensated' || state.phase === 'completed' ? 0 : 1;
  },
};

export const command: Command = {
  usage: 'saga',
  writes: 'nothing, except cancel and retry',
  examples: [
    { line: 'evstore saga list', purpose: 'the state of each instance' },
    { line: 'evstore saga retry order_fulfilment Order-1', purpose: 'retry a compensation that kept failing' },
  ],
  options: [],
  subcommands: [list, show, overdue, cancel, retry],
};

function headline({ saga, instance, state, version, reason }: InstanceReport): string {
  return `${saga} ${instance}: ${state}, version ${version}${reason === null ? '' : `, because ${reason}`}`;
}

function describeCounts(counts: readonly StateCount[]): string {
  const sagas = [...new Set(counts.map(({ saga }) => saga))];
  const one = (name: string) =>
    counts.filter(({ saga }) => saga === name).map(({ state, instances }) => `${groupDigits(instances)} ${state}`);
  return sagas.map((name) => `${name}: ${one(name).join(', ')}`).join('; ');
}

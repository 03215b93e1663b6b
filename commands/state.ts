/** `evstore state`: what the row of a stream looked like. */
import { allOf } from '../src/config/load-files.js';
import { EvstoreError } from '../src/domain/errors.js';
import { parseMoment } from '../src/domain/timestamp.js';
import { count } from '../src/domain/words.js';
import type { LoadedProjection } from '../src/projection/define/load.js';
import type { Point } from '../src/query/moment.js';
import {
  findHandling,
  isReplayable,
  type State,
  type StateDiff,
  type StateHistory,
  type StateOptions,
  stateAt,
  stateDiff,
  stateHistory,
} from '../src/query/state.js';
import type { Store } from '../src/store/store.js';
import type { Command, Context, Flags } from './options/command.js';
import { assertStreamExists } from './options/event-range.js';
import { namingOption, option } from './options/option.js';
import { wholeNumber } from './options/parse-option.js';
import { progressOption, projectionsOption, timesOption } from './options/shared-options.js';
import { noteFullScan } from './support/note-scan.js';
import { printReport } from './support/print-report.js';
import { loadCode, selectOne, tellFailures } from './support/projection-code.js';

export const command: Command = {
  usage: 'state <stream>',
  writes: 'nothing; the rows are computed in memory from the events',
  examples: [
    { line: 'evstore state Order-42', purpose: 'show the row of a stream as its events make it now' },
    { line: 'evstore state Order-42 --at 3', purpose: 'show it after version 3 of the stream' },
    { line: 'evstore state Order-42 --at 2026-01-31', purpose: 'show it as of a time (UTC without a zone)' },
    { line: 'evstore state Order-42 --at @1042', purpose: 'show it as of a position of the log' },
    { line: 'evstore state Order-42 --history', purpose: 'show how it changed, event by event' },
    { line: 'evstore state Order-42 --diff 3 24h', purpose: 'compare it at two points' },
  ],
  options: [
    option('--at <point>', 'a version (3), a position (@1042), an ISO time, or an age such as 24h (default: now)'),
    option('--history', 'show the change that each event made, up to --at').conflicts('diff'),
    option('--diff <points...>', 'compare the rows at two points, each as for --at').conflicts('at'),
    option('-n, --limit <count>', 'with --history: only the last changes', wholeNumber(1)),
    option('--projection <name>', 'the projection (needed where several handle the stream)'),
    option('--exact', 'read any number of events, where rows have a key of their own (default: up to 100,000)'),
    projectionsOption(),
    timesOption(),
    progressOption(),
  ],
  run: async ([streamId = ''], flags, context) => {
    const points = readPoints(flags, context);
    const store = await context.openStore();
    await store.schema.assertGuards();
    const projection = await choose(store, streamId, flags, context);
    if (flags.exact === true) await noteFullScan(context, store);
    const progress = flags.exact === true ? await context.progress('state') : undefined;
    const options = {
      store,
      projection,
      streamId,
      exact: flags.exact === true,
      exactCommand: context.repeatedWith('--exact'),
      progress: (position: number, total: number) => progress?.update(position, { total }),
      signal: context.io.signal,
    };
    const told = await ask(options, points, flags).finally(() => progress?.stop());
    await print(told, context);
    await explain(told, context);
    return 0;
  },
};

type Points = { readonly at: Point } | { readonly between: readonly [Point, Point] };
type Answer = State | StateHistory | StateDiff;

function readPoints({ at, diff }: Flags, { io }: Context): Points {
  if (diff === undefined) return { at: typeof at === 'string' ? readPoint('--at', at, io.now()) : { kind: 'now' } };
  const [from, to, ...others] = (diff as readonly string[]).map((text) => readPoint('--diff', text, io.now()));
  if (from !== undefined && to !== undefined && others.length === 0) return { between: [from, to] };
  throw new EvstoreError('E_USAGE', '--diff takes two points', {
    why: 'Name the stream first.',
    next: 'evstore state Order-42 --diff 3 7',
  });
}

/** Digits are a version; with an @ they are a position of the log. */
function readPoint(flag: string, text: string, now: Date): Point {
  return namingOption(flag, () => {
    if (/^\d+$/.test(text)) return { kind: 'version', version: wholeNumber(0)(text) };
    if (text.startsWith('@')) return { kind: 'position', position: wholeNumber(0)(text.slice(1)) };
    try {
      return { kind: 'time', time: parseMoment(text, now) };
    } catch (cause) {
      throw new EvstoreError('E_USAGE', `'${text}' is not a version, a position or a time`, {
        why: 'Give a version (3), a position (@1042), a date (2026-01-31), a time (2026-01-31T09:30:00Z, UTC if it has no zone) or an age (24h).',
        cause,
      });
    }
  });
}

async function choose(store: Store, streamId: string, flags: Flags, context: Context): Promise<LoadedProjection> {
  await assertStreamExists(store, streamId);
  if (typeof flags.projection === 'string') {
    const named = await selectOne(context, flags, flags.projection);
    if ((await findHandling(store, [named], streamId)).length === 0) throw noneHandles(streamId, [named]);
    return named;
  }
  const loaded = await loadCode(context, flags);
  const handling = await findHandling(store, loaded.found, streamId);
  if (handling.length === 0) allOf(loaded);
  await tellFailures(context, [], loaded);
  const replayable = handling.filter(isReplayable);
  const [only = handling[0], ...others] = replayable;
  if (only === undefined) throw noneHandles(streamId, loaded.found);
  if (others.length === 0) return only;
  throw new EvstoreError('E_USAGE', `several projections handle stream ${streamId}`, {
    why: `These do: ${replayable.map(({ name }) => name).join(', ')}.`,
    next: context.repeatedWith('--projection', only.name),
  });
}

function noneHandles(streamId: string, lookedAt: readonly LoadedProjection[]): EvstoreError {
  const names = lookedAt.map(({ name }) => name).join(', ');
  return new EvstoreError('E_NOT_FOUND', `no projection handles an event of stream ${streamId}`, {
    why: names === '' ? 'No projection was found.' : `Looked at: ${names}.`,
    next: 'evstore projections',
  });
}

function ask(options: StateOptions, points: Points, { history, limit }: Flags): Promise<Answer> {
  if ('between' in points) return stateDiff(options, points.between);
  if (history === true) return stateHistory(options, points.at, limit as number | undefined);
  return stateAt(options, points.at);
}

async function print(answer: Answer, context: Context): Promise<void> {
  const { renderHistory, renderState, renderStateDiff } = await import('../src/output/state-text.js');
  if ('history' in answer) {
    await printReport(context, answer, answer.history.length, () => renderHistory(answer, context.view));
  } else if ('from' in answer) {
    const differing = answer.rows.filter(({ kind }) => kind !== 'same').length;
    await printReport(context, answer, differing, () => renderStateDiff(answer, context.view));
  } else await printReport(context, answer, answer.rows.length, () => renderState(answer, context.view));
}

/** Says where the answer may differ from the live rows. */
async function explain({ projection, codeVersion, code, parked, held }: Answer, context: Context): Promise<void> {
  if (code === 'stale' || code === 'stale code') {
    await context.note(
      `computed by the code of version ${codeVersion}; other code made the live rows of ${projection}`,
    );
  }
  if (parked > 0) await context.note(`${count(parked, 'parked event')} left out, as in the live rows`);
  if (held > 0) {
    await context.note(
      `${count(held, 'later event')} of the stream cannot be read yet: an open transaction holds them`,
    );
  }
}

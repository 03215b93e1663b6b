/** What `evstore run` runs: projections, and with `--sagas` sagas and reactions beside them. */
import type { Loaded } from '../../src/config/load-files.js';
import { EvstoreError } from '../../src/domain/errors.js';
import { shellWord } from '../../src/domain/shell-word.js';
import { count } from '../../src/domain/words.js';
import { groupDigits } from '../../src/output/numbers.js';
import type { LoadedProjection } from '../../src/projection/define/load.js';
import { type LoadedReaction, loadReactions } from '../../src/reaction/load.js';
import type { ReactionNews, ReactionReport } from '../../src/reaction/report.js';
import { isReaction } from '../../src/reaction/validate.js';
import { unknownSaga } from '../../src/saga/inspect.js';
import { type LoadedSaga, loadSagas } from '../../src/saga/load.js';
import type { SagaNews, SagaReport } from '../../src/saga/report.js';
import { isSaga } from '../../src/saga/validate.js';
import type { Context, Flags } from '../options/command.js';
import { loadCode, loadFrom, selectCode, selectNamed, tellFailures } from './projection-code.js';

export interface RunCode {
  readonly projections: readonly LoadedProjection[];
  readonly sagas: readonly LoadedSaga[];
  readonly reactions: readonly LoadedReaction[];
}

type Runnable = LoadedProjection | LoadedSaga | LoadedReaction;

/** @throws E_NOT_FOUND for a name no file has, and when there is nothing at all */
export async function selectRunnable(context: Context, flags: Flags, names: readonly string[]): Promise<RunCode> {
  if (flags.sagas !== true) return { projections: await selectCode(context, flags, names), sagas: [], reactions: [] };
  const code = await loadCode(context, flags);
  const sagaCode = await loadSagaCode(context, flags);
  const reactionCode = await loadReactionCode(context, flags);
  const all: Loaded<Runnable> = {
    found: [...code.found, ...sagaCode.found, ...reactionCode.found],
    failures: [...code.failures, ...sagaCode.failures, ...reactionCode.failures],
    without: [...code.without, ...sagaCode.without, ...reactionCode.without],
  };
  const none = { what: 'no projection, no saga and no reaction found', next: 'evstore scaffold saga NAME' };
  const chosen = await selectNamed(context, names, all, none);
  const isLoadedSaga = (each: Runnable): each is LoadedSaga => isSaga(each);
  const isLoadedReaction = (each: Runnable): each is LoadedReaction => isReaction(each);
  return {
    projections: chosen.filter((each): each is LoadedProjection => !isLoadedSaga(each) && !isLoadedReaction(each)),
    sagas: chosen.filter(isLoadedSaga),
    reactions: chosen.filter(isLoadedReaction),
  };
}

/** Every saga of the config, or of the folder `sagas`. Executes these files. */
export async function loadSagaCode(context: Context, flags: Flags): Promise<Loaded<LoadedSaga>> {
  const { sagas: globs, folder } = await context.config();
  return loadFrom(context, flags, { globs, folder }, loadSagas);
}

/** Every reaction of the config, or of the folder `reactions`. Executes these files. */
async function loadReactionCode(context: Context, flags: Flags): Promise<Loaded<LoadedReaction>> {
  const { reactions: globs, folder } = await context.config();
  return loadFrom(context, flags, { globs, folder }, loadReactions);
}

/** @throws E_NOT_FOUND, or an error that names the files that cannot be loaded */
export async function selectReaction(context: Context, flags: Flags, name: string): Promise<LoadedReaction> {
  const loaded = await loadReactionCode(context, flags);
  const none = { what: 'no reaction found', why: 'No file of this project defines one.', next: 'evstore config' };
  const [reaction] = await selectNamed(context, [name], loaded, none);
  if (reaction === undefined) throw new EvstoreError('E_BUG', 'no reaction was chosen');
  return reaction;
}

/** Returns every version of a saga. @throws E_NOT_FOUND, or an error that names the files that cannot be loaded */
export async function selectSaga(context: Context, flags: Flags, name: string): Promise<readonly LoadedSaga[]> {
  const loaded = await loadSagaCode(context, flags);
  await tellFailures(context, [name], loaded);
  const sagas = loaded.found.filter((each) => each.name === name);
  if (sagas.length > 0) return sagas;
  const known = loaded.found.map((each) => each.name);
  throw unknownSaga(`no file defines the saga ${name}`, name, known, 'No file of this project defines a saga.');
}

export async function tellSagaNews(news: SagaNews, context: Context): Promise<void> {
  switch (news.kind) {
    case 'waiting':
      return context.note(`saga ${news.saga}: ${news.owner} reads the log for it; this process drives instances too`);
    case 'missing code':
      return context.warn(
        `saga ${news.saga}: ${count(news.instances, 'instance')} of version ${news.version} cannot continue: no file has that version; see: evstore saga list ${shellWord(news.saga)}`,
      );
    case 'left':
      return context.warn(`saga ${news.saga}: ${news.instance} is left alone: ${news.why}`);
    case 'interrupted':
      return context.warn(`saga ${news.saga}: ${news.error.message}; trying again`);
    case 'failed':
      return context.note(`saga ${news.saga}: stopped`);
    case 'ended':
      if (news.phase === 'completed') return undefined;
      if (news.phase !== 'compensation-failed') {
        const why = news.error === null ? '' : `, because ${news.error}`;
        return context.note(`saga ${news.saga}: ${news.instance} ${news.phase}${why}`);
      }
      return context.warn(
        `saga ${news.saga}: ${news.instance} is parked: ${news.error ?? 'a compensation keeps failing'}; mend it, then run: evstore saga retry ${shellWord(news.saga)} ${shellWord(news.instance)}`,
      );
  }
}

export function describeSaga({ saga, position, ended, left }: SagaReport): string {
  const counts = Object.entries(ended).filter(([, each]) => each > 0);
  const instances = counts.map(([phase, each]) => `${groupDigits(each)} ${phase}`).join(', ') || 'no instance ended';
  return `saga ${saga}: at position ${groupDigits(position)}, ${instances}${left === 0 ? '' : `, ${groupDigits(left)} left alone`}`;
}

export async function tellReactionNews(news: ReactionNews, context: Context): Promise<void> {
  switch (news.kind) {
    case 'waiting':
      return context.note(`reaction ${news.reaction}: standing by, ${news.owner} runs it`);
    case 'interrupted':
      return context.warn(`reaction ${news.reaction}: ${news.error.message}; trying again`);
    case 'failed':
      return context.note(`reaction ${news.reaction}: stopped`);
  }
}

export function describeReaction({ reaction, position, events, appended, aside, error }: ReactionReport): string {
  const left = aside === 0 ? '' : `, ${groupDigits(aside)} parked or skipped`;
  const stopped = error === null ? '' : ', stopped';
  const done = `${count(events, 'event')} handled, ${groupDigits(appended)} appended`;
  return `reaction ${reaction}: at position ${groupDigits(position)}, ${done}${left}${stopped}`;
}

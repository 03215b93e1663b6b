/** What `evstore run` runs: projections, and with `--sagas` sagas beside them. */

import { EvstoreError } from '../../src/domain/errors.js';
import { shellWord } from '../../src/domain/shell-word.js';
import type { LoadedProjection } from '../../src/projection/define/load.js';
import { type LoadedSaga, loadSagas } from '../../src/saga/load.js';
import type { SagaNews, SagaReport } from '../../src/saga/report.js';
import { isSaga } from '../../src/saga/validate.js';
import type { Context, Flags } from '../options/command.js';
import { loadCode, selectCode, selectNamed } from './projection-code.js';
import { sayIfSlow } from './say-if-slow.js';

export interface RunCode {
  readonly projections: readonly LoadedProjection[];
  readonly sagas: readonly LoadedSaga[];
}

/** @throws E_NOT_FOUND for a name no file has, and when there is nothing at all */
export async function selectRunnable(context: Context, flags: Flags, names: readonly string[]): Promise<RunCode> {
  if (flags.sagas !== true) return { projections: await selectCode(context, flags, names), sagas: [] };
  const { sagas: globs, folder } = await context.config();
  const none = new EvstoreError('E_NOT_FOUND', 'no projection and no saga found', {
    next: 'evstore scaffold saga NAME',
  });
  const chosen = await selectNamed<LoadedProjection | LoadedSaga>(context, { names, none }, async (failed) => {
    const projections = await loadCode(context, flags, failed);
    const { signal } = context.io;
    const load = (note: (line: string) => Promise<void>) => loadSagas({ globs, folder, note, signal, failed });
    return [...projections, ...(await sayIfSlow(context, flags, load))];
  });
  const isLoadedSaga = (each: LoadedProjection | LoadedSaga): each is LoadedSaga => isSaga(each);
  return {
    projections: chosen.filter((each): each is LoadedProjection => !isLoadedSaga(each)),
    sagas: chosen.filter(isLoadedSaga),
  };
}

export async function tellSagaNews(news: SagaNews, context: Context): Promise<void> {
  switch (news.kind) {
    case 'waiting':
      return context.note(`saga ${news.saga}: standing by, ${news.owner} runs it`);
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
  const counts = Object.entries(ended).filter(([, count]) => count > 0);
  const instances = counts.map(([phase, count]) => `${count} ${phase}`).join(', ') || 'no instance ended';
  return `saga ${saga}: at position ${position}, ${instances}${left === 0 ? '' : `, ${left} left alone`}`;
}

/** The sagas of `evstore run --sagas`: loaded from the user's files, run beside the projections, and told about. */
import { shellWord } from '../src/domain/shell-word.js';
import { ownerName } from '../src/projection/owner.js';
import { type LoadedSaga, loadSagas } from '../src/saga/load.js';
import { runSagas, type SagaNews, type SagaReport } from '../src/saga/run-sagas.js';
import type { Store } from '../src/store/store.js';
import type { Flags } from './command.js';
import type { Context } from './context.js';

/** Every saga of the config, or of the folder `sagas`. None without `--sagas`: these act on the world. */
export async function loadSagaCode(context: Context, flags: Flags): Promise<readonly LoadedSaga[]> {
  if (flags.sagas !== true) return [];
  const { folder, sagas } = await context.config();
  return loadSagas({ globs: sagas, folder, note: context.note });
}

export function runLoadedSagas(
  store: Store,
  sagas: readonly LoadedSaga[],
  flags: Flags,
  context: Context,
): Promise<readonly SagaReport[]> {
  return runSagas({
    store,
    sagas,
    once: flags.once === true,
    signal: context.io.signal,
    owner: ownerName(),
    report: (news) => void tell(news, context).catch(() => {}),
  });
}

export function describeSaga({ saga, position, ended, left, error }: SagaReport): string {
  const counts = Object.entries(ended).filter(([, count]) => count > 0);
  const ends = counts.length === 0 ? 'nothing to do' : counts.map(([phase, count]) => `${count} ${phase}`).join(', ');
  const rest = left === 0 ? '' : `, ${left} left to other code`;
  return `${saga}: at position ${position}, ${ends}${rest}${error === null ? '' : ', stopped'}`;
}

async function tell(news: SagaNews, context: Context): Promise<void> {
  switch (news.kind) {
    case 'ended':
      if (news.phase !== 'compensation-failed') return undefined;
      return context.warn(
        `${news.saga} ${news.instance}: a compensation keeps failing; it is parked until evstore saga retry ${news.saga} ${shellWord(news.instance)}`,
      );
    case 'left':
      return context.warn(`${news.saga} ${news.instance}: not driven, ${news.why}`);
    case 'waiting':
      return context.note(`${news.saga}: standing by, ${news.owner} runs it`);
  }
}

/** How long commands take that do next to nothing, as multiples of what `node` takes to do nothing. */
import { runEvstore, runProgram } from '../evstore.js';
import { atMost, type Contender, expectEqual, takeTurns } from '../measure.js';
import type { Work } from './work.js';

export const work: Work = {
  summary: 'starts of evstore, against node -e 0',
  events: 100,
  runs: 21,
  run: async ({ place, events, runs, say }) => {
    const { engine, folder } = place;
    const store = await place.fillStore(events);
    const options = { url: store.url, folder };
    const start = (name: string, args: readonly string[], lines: number): Contender => ({
      name,
      run: async () => {
        const { seconds, stdout } = await runEvstore(args, options);
        expectEqual(`lines of ${name}`, stdout.trim().split('\n').length, lines);
        return seconds * 1000;
      },
    });
    const nothing = (bound: number): Contender => ({
      name: 'node -e 0',
      target: atMost(bound),
      run: async () => (await runProgram([process.execPath, '-e', '0'], options)).seconds * 1000,
    });
    const turns = (title: string) => ({ title, unit: 'ms' as const, runs, say });
    try {
      return [
        await takeTurns(
          [start('evstore --version', ['--version'], 1), nothing(1.25)],
          turns('start of evstore --version'),
        ),
        await takeTurns(
          [start('evstore read -n 10', ['read', '-n', '10'], 10), nothing(engine === 'sqlite' ? 1.6 : 1.9)],
          turns(`start of evstore read on ${engine}`),
        ),
      ];
    } finally {
      await store.remove();
    }
  },
};

/** `evstore export`, and `evstore read` in a pipe, against what the database's own shell prints. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { makeDataFile } from '../data/files.js';
import { countLines, runEvstore, type Sink, startEvstore } from '../evstore.js';
import { atLeast, type Contender, expectEqual, takeTurns } from '../measure.js';
import type { PlacedStore } from '../place.js';
import { copyOut, psqlMissing } from '../yardsticks/psql.js';
import { printEvents, sqliteShellMissing } from '../yardsticks/sqlite-shell.js';
import { count, type Task, type Work } from './work.js';

export const work: Work = {
  summary: 'evstore export to a file, and evstore read in a pipe, of the whole log',
  events: 1_000_000,
  runs: 5,
  run: async (task) => {
    const { place, events, runs, say } = task;
    const store = await place.fillStore(events);
    try {
      const title = (command: string) => `${command} of ${count(events)} events on ${place.engine}`;
      const [exported, piped, read] = [
        exporting(task, store),
        printing(task, store, 'evstore export | cat', ['export'], 'pipe'),
        printing(task, store, 'evstore read | cat', ['read'], 'pipe'),
      ];
      return [
        await takeTurns([exported, ...yardsticks(task, store, 'null')], {
          title: title('export'),
          unit: 'events/s',
          runs,
          say,
        }),
        await takeTurns([read, ...yardsticks(task, store, 'pipe')], {
          title: title('read'),
          unit: 'events/s',
          runs,
          say,
        }),
        await takeTurns([piped, exported], { title: title('export through a pipe'), unit: 'events/s', runs, say }),
      ];
    } finally {
      await store.remove();
    }
  },
};

export function exporting(task: Task, store: PlacedStore): Contender {
  return printing(task, store, 'evstore export > /dev/null', ['export'], 'null');
}

/** What it prints is looked at once, before it is timed: nobody can look into /dev/null. */
function printing(
  { place: { folder }, events }: Task,
  { url }: PlacedStore,
  name: string,
  args: readonly string[],
  output: Sink,
): Contender {
  let isVerified = false;
  return {
    name,
    prepare: async () => {
      if (!isVerified) await verifyOutput(args, url, folder, events);
      isVerified = true;
    },
    run: async () => {
      const { seconds } = await runEvstore(args, { url, folder, output });
      return events / seconds;
    },
  };
}

/**
 * The lines are those of the file the store was filled from, in their order, position by position.
 * @throws Wrong
 */
async function verifyOutput(args: readonly string[], url: string, folder: string, events: number): Promise<void> {
  const printed = startEvstore(args, { url, folder });
  const [found, expected] = await Promise.all([
    digest(printed.stdout),
    digest(createReadStream(await makeDataFile(events, 'ndjson'))),
  ]);
  expectEqual(`what evstore ${args.join(' ')} printed`, found, expected);
}

/** How many lines, and their hash. */
async function digest(stream: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash('sha256');
  let lines = 0;
  for await (const piece of stream) {
    hash.update(piece);
    lines += countLines(piece);
  }
  return `${lines} lines, sha256 ${hash.digest('hex').slice(0, 16)}…`;
}

function yardsticks({ place, events }: Task, { url, path }: PlacedStore, output: Sink): Contender[] {
  const way = output === 'pipe' ? ' | cat' : '';
  if (place.engine === 'postgres') {
    return [
      {
        name: `psql \\copy (select row_to_json(e) …)${way}`,
        missing: psqlMissing,
        target: atLeast(1),
        run: async () => events / (await copyOut(url, events, output)),
      },
    ];
  }
  return [
    {
      name: `sqlite3 printing json_object(…), payload as text${way}`,
      missing: sqliteShellMissing,
      target: atLeast(0.7),
      run: async () => events / (await printEvents(path, 'text', output)),
    },
    {
      name: `sqlite3 printing json_object(…), payload as JSON${way}`,
      missing: sqliteShellMissing,
      run: async () => events / (await printEvents(path, 'json', output)),
    },
  ];
}

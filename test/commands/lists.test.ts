/** What all lists have in common: what they say when they are empty, and when a column has no room. */
import { expect, test } from 'vitest';
import { makeFolder, runCli } from '../support/cli.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { append } from '../support/events.js';

/** What each says on stderr about an empty store. */
const empty: readonly (readonly [says: string, ...argv: readonly string[]])[] = [
  ['no streams yet', 'streams'],
  ['the store has no events yet', 'types'],
  ['no events in this time', 'stats'],
  ['no snapshots yet', 'snapshots'],
  ['no projection in the code or in the store', 'projections'],
  ['no subscription has a checkpoint yet', 'checkpoints'],
  ['no checkpoint was changed by hand', 'checkpoints', 'history'],
  ['no projection has run on this store yet', 'lag'],
  ['nothing is parked', 'parked'],
  ['no saga was started yet', 'saga', 'list'],
  ['no instance is overdue', 'saga', 'overdue'],
  ['nothing to drop', 'gc'],
  ['no problems found', 'verify'],
];

forEachEngine((engine) => {
  test('a list without rows: in a pipe a heading, and on stderr a line that says so; with -q neither', () =>
    withTestStore(engine, async ({ url }) => {
      for (const [says, ...argv] of empty) {
        const cwd = makeFolder();
        const piped = await runCli([...argv, '--store', url], { cwd });
        expect({ argv, ...piped }).toMatchObject({ code: 0, stderr: expect.stringContaining(says) });
        expect(piped.stdout, argv.join(' ')).toMatch(/^[^\n]*\S\n$/);
        expect(piped.stderr.split(says), argv.join(' ')).toHaveLength(2);
        const quiet = await runCli([...argv, '-q', '--store', url], { cwd });
        expect({ argv, ...quiet }).toMatchObject({ code: 0, stdout: '', stderr: '' });
        const json = await runCli([...argv, '--json', '--store', url], { cwd });
        expect({ argv, ...json }).toMatchObject({ code: 0, stderr: '' });
        expect(() => JSON.parse(json.stdout)).not.toThrow();
      }
    }));

  test('columns that have no room are named on stderr, once, and only where a table is shown', () =>
    withTestStore(engine, async ({ store, url }) => {
      // The type of a stream is the category of its name.
      await append(store, `${'T'.repeat(38)}-${'x'.repeat(60)}`);
      await append(store, 'Order-1');
      const shown = await runCli(['streams', '--color', 'never', '--store', url], { tty: true });
      expect(shown.stdout.split('\n')[0]).not.toContain('type');
      expect(shown.stderr).toMatch(/^not shown: type.* \(wider terminal, or -o tsv\)\n$/);
      const piped = await runCli(['streams', '--store', url]);
      expect(piped).toMatchObject({ code: 0, stdout: expect.stringContaining('streamType'), stderr: '' });
    }));
});

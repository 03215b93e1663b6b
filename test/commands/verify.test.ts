import { expect, test } from 'vitest';
import { Stop } from '../../src/terminal/signals.js';
import { runCli } from '../support/cli.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { append, makeEvents } from '../support/events.js';
import { tamper } from '../support/tamper.js';

const withId = { metadata: '{"correlationId":"c"}' };

forEachEngine((engine) => {
  test('an intact store: no findings on stdout, a summary on stderr', () =>
    withTestStore(engine, async ({ store, url }) => {
      await append(
        store,
        'Order-1',
        makeEvents(3, () => withId),
      );
      const { code, stdout, stderr } = await runCli(['verify', '--store', url, '-o', 'table']);
      expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
      expect(stderr).toContain('3 events up to position 3');
    }));

  test('only warnings: exit 0, naming the first event', () =>
    withTestStore(engine, async ({ store, url }) => {
      await append(store, 'Order-1');
      const { code, stdout } = await runCli(['verify', '--store', url]);
      expect(code).toBe(0);
      expect(stdout).toBe(
        'severity\tkind\tsubject\tdetail\tnext\tevidence\n' +
          'warning\tuncorrelated\tlog\thas 1 event without a correlation id, the first at position 1\tevstore read --after 0 -n 1\t\n',
      );
    }));

  test('a missing version: exit 1, and the stream is named for people and for programs, whatever its name', () =>
    withTestStore(engine, async (test) => {
      const name = `Order-\u001b[2J'x`;
      await append(
        test.store,
        name,
        makeEvents(3, () => withId),
      );
      await tamper(test, 'delete from events where version = 2');
      const shown = await runCli(['verify', '--store', test.url, '--color', 'never'], { tty: true });
      expect(shown.code, shown.stdout + shown.stderr).toBe(1);
      expect(shown.stdout).not.toContain('\u001b[2J');
      expect(shown.stdout).toMatch(/✗ missing-version {2}Order-.*has no version 2 before version 3 at position 3/);
      const { code, stdout, stderr } = await runCli(['verify', '--json', '--store', test.url]);
      expect(code).toBe(1);
      const next = `evstore read 'Order-\u001b[2J'\\''x' --from-version 2 -n 2`;
      expect(JSON.parse(stdout)).toEqual({
        findings: [
          {
            kind: 'missing-version',
            severity: 'error',
            subject: name,
            detail: 'has no version 2 before version 3 at position 3',
            next,
          },
        ],
        checked: { events: 2, position: 3, cursors: 0, audited: 0 },
      });
      expect(JSON.parse(stderr)).toMatchObject({
        error: { code: 'E_CHECK_FAILED', details: { errors: 1, warnings: 0 } },
      });
    }));

  test('Ctrl-C: exit 130 without a result', () =>
    withTestStore(engine, async ({ store, url }) => {
      await append(store, 'Order-1');
      const signal = AbortSignal.abort(new Stop('SIGINT'));
      expect(await runCli(['verify', '--store', url], { signal })).toMatchObject({ code: 130, stdout: '' });
    }));
});

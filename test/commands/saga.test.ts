import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStore } from '../../src/index.js';
import { runCli } from '../support/cli.js';
import { forEachEngine, withTestStore } from '../support/engines.js';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'evstore-saga-'));
  mkdirSync(join(cwd, 'sagas'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

/** @param undo what the compensation of the first step does */
function writeSaga(undo: string): void {
  writeFileSync(
    join(cwd, 'sagas/shipping.ts'),
    `import { defineSaga } from 'evstore';
     export default defineSaga({ name: 'shipping', version: 1, startOn: 'OrderPlaced' })
       .step('reserve', { retries: 0, action: () => {}, compensate: () => { ${undo} } })
       .step('ship', { retries: 0, action: ({ trigger }) => { if (trigger.data.far) throw new Error('too far'); } });`,
  );
}

forEachEngine((engine) => {
  test('instances are listed and shown, and a parked one is tried again', () =>
    withTestStore(engine, async ({ url }) => {
      const evstore = (...argv: string[]) => runCli([...argv, '--store', url], { cwd });
      const store = await openStore(url);
      await store.append('Order-1', { type: 'OrderPlaced', data: { far: false } });
      await store.append('Order-2', { type: 'OrderPlaced', data: { far: true } });
      await store.close();
      expect(await evstore('saga', 'list')).toMatchObject({ code: 0 });

      writeSaga("throw new Error('no answer')");
      const first = await evstore('run', '--once', '--sagas');
      expect(first, first.stderr).toMatchObject({ code: 1 });
      expect(first.stdout).toContain('1 completed, 1 compensation-failed');
      expect(first.stderr).toContain('evstore saga retry shipping Order-2');

      // The two went side by side: either may have moved last.
      const { stdout } = await evstore('saga', 'list', '--json');
      const { instances } = JSON.parse(stdout) as { instances: { instance: string }[] };
      expect(instances.sort((a, b) => (a.instance < b.instance ? -1 : 1))).toMatchObject([
        { saga: 'shipping', instance: 'Order-1', state: 'completed', reason: null },
        { saga: 'shipping', instance: 'Order-2', state: 'compensation-failed', reason: 'ship: too far' },
      ]);
      const stuck = await evstore('saga', 'list', 'shipping', '--state', 'compensation-failed', '-q');
      expect(stuck).toMatchObject({ code: 0, stdout: 'Order-2\n' });
      expect(await evstore('saga', 'list', 'shipping', '--state', 'running')).toMatchObject({ code: 6 });

      const shown = JSON.parse((await evstore('saga', 'show', 'shipping', 'Order-2', '--json')).stdout);
      expect(shown).toMatchObject({
        startedAt: expect.any(String),
        trigger: { type: 'OrderPlaced', streamId: 'Order-2' },
      });
      expect(shown.steps).toMatchObject([
        { name: 'reserve', state: 'stuck', attempts: 1, compensations: 1, error: null, compensationError: 'no answer' },
        { name: 'ship', state: 'unknown', attempts: 1, compensations: 0, error: 'too far', compensationError: null },
      ]);

      // The error of the compensation is in every view, and the way on.
      const trouble = 'compensation of reserve: no answer';
      expect(first.stderr).toContain(`Order-2 is parked: ${trouble}; mend it, then run: evstore saga retry shipping`);
      expect(instances.map((each) => (each as { error?: string | null }).error)).toEqual([null, trouble]);
      const terminal = (...argv: string[]) => runCli([...argv, '--store', url], { cwd, tty: true });
      const listed = (await terminal('saga', 'list', '--color', 'never')).stdout.split('\n');
      expect(listed.slice(1, 3)).toEqual([expect.stringMatching(/^✗ Order-2 /), `    ${trouble}`]);
      expect(listed[3]).toMatch(/^○ Order-1 /);
      const shownThere = await terminal('saga', 'show', 'shipping', 'Order-2', '--color', 'never');
      const clock = '\\d\\d:\\d\\d:\\d\\d';
      expect(shownThere.stdout).toMatch(
        new RegExp(
          `^shipping Order-2   ✗ compensation-failed   started ${clock} by OrderPlaced @2   v1\n  because ship: too far\n` +
            `  reserve  ✓ done ${clock} \\(\\d+ m?s\\)  ✗ compensate, last ${clock}  compensation: no answer\n` +
            `  ship     ✗ failed ${clock}  too far\n$`,
        ),
      );
      expect(shownThere.stderr).toContain('evstore saga retry shipping Order-2');

      const still = await evstore('saga', 'overdue', '--older-than', '0ms', '--json');
      expect(JSON.parse(still.stdout)).toMatchObject({
        instances: [{ instance: 'Order-2', state: 'compensation-failed', owner: null, movedAt: expect.any(String) }],
        isComplete: true,
      });
      expect((await terminal('saga', 'overdue', 'shipping', '--older-than', '0ms', '--color', 'never')).stdout).toMatch(
        /^✗ Order-2 .* \d+ m?s/m,
      );
      const none = await evstore('saga', 'overdue');
      expect(none.stderr).toContain('no instance has been still for 1 h');
      expect(none).toMatchObject({ code: 0 });

      expect(await evstore('saga', 'show', 'shipping', 'Order-9')).toMatchObject({
        code: 6,
        stdout: '',
        stderr: expect.stringContaining('next: evstore saga list shipping'),
      });
      expect((await evstore('saga', 'show', 'shipping', 'Ordr-2')).stderr).toContain(
        'next: evstore saga show shipping Order-2',
      );
      for (const argv of [
        ['show', 'shiping', 'Order-2'],
        ['show', 'shiping'],
        ['list', 'shiping'],
        ['retry', 'shiping', 'Order-2'],
      ]) {
        const unknown = await evstore('saga', ...argv);
        expect(unknown, argv.join(' ')).toMatchObject({ code: 6, stdout: '' });
        expect(unknown.stderr).toMatch(
          /(no saga is called 'shiping'|no file defines the saga shiping).*\nDid you mean shipping\?/,
        );
      }
      expect(await evstore('saga', 'show', 'shipping')).toMatchObject({ code: 2 });

      expect(await evstore('saga', 'retry', 'shipping', 'Order-2')).toMatchObject({ code: 1 });
      writeSaga('');
      const before = await evstore('saga', 'show', 'shipping', 'Order-2', '--json');
      const planned = await evstore('saga', 'retry', 'shipping', 'Order-2', '--dry-run');
      expect(planned).toMatchObject({
        code: 0,
        stdout: 'shipping Order-2: would retry the compensation of reserve\n',
      });
      expect(await evstore('saga', 'show', 'shipping', 'Order-2', '--json')).toEqual(before);
      const mended = await evstore('saga', 'retry', 'shipping', 'Order-2');
      expect(mended, mended.stderr).toMatchObject({ code: 0 });
      expect(mended.stdout).toBe('shipping Order-2: compensated, version 1, because ship: too far\n');
      expect(await evstore('saga', 'retry', 'shipping', 'Order-2')).toMatchObject({ code: 2 });
      expect(await evstore('saga', 'retry', 'unknown', 'Order-2')).toMatchObject({ code: 6 });
    }));
});

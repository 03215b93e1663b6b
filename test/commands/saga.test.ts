import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStore } from '../../src/index.js';
import { runCli } from '../support/cli.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { allowMoreTime } from '../support/more-time.js';

allowMoreTime('it runs some thirty commands, by the packed program where that is asked for');

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

      const late = await evstore('saga', 'overdue', '--json');
      expect(late.code).toBe(1);
      expect(JSON.parse(late.stdout)).toMatchObject({
        instances: [
          {
            ...{ instance: 'Order-2', state: 'compensation-failed', kind: 'compensation-failed', owner: null },
            why: 'its compensation failed, and is not retried',
            next: 'evstore saga retry shipping Order-2',
          },
        ],
        isComplete: true,
      });
      const lateThere = await terminal('saga', 'overdue', 'shipping', '--color', 'never');
      expect(lateThere.stdout).toMatch(/^✗ Order-2 .* \d+ m?s/m);
      expect(lateThere.stdout).toContain(`    ${trouble}; its compensation failed`);
      expect(lateThere.stderr).toContain('next: evstore saga retry shipping Order-2');

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
        ['cancel', 'shiping', 'Order-2', '--reason', 'x'],
        ['overdue', 'shiping'],
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
      expect(await evstore('saga', 'overdue')).toMatchObject({ code: 0, stderr: expect.stringContaining('overdue') });
    }));

  test('an instance that waits is shown with what it waits for, and cancelled without its code', () =>
    withTestStore(engine, async ({ url, raw }) => {
      const evstore = (...argv: string[]) => runCli([...argv, '--store', url], { cwd });
      const json = async (...argv: string[]) => JSON.parse((await evstore(...argv, '--json')).stdout);
      const store = await openStore(url);
      for (const order of ['Order-1', 'Order-2']) await store.append(order, { type: 'OrderPlaced', data: {} });
      writeFileSync(
        join(cwd, 'sagas/paying.ts'),
        `import { defineSaga } from 'evstore';
         export default defineSaga({ name: 'paying', version: 1, startOn: 'OrderPlaced' })
           .step('reserve', { action: () => {}, compensate: () => {} })
           .waitFor('payment', { type: ['Paid', 'PaidLater'], timeout: '3d' });`,
      );
      expect(await evstore('run', '--once', '--sagas')).toMatchObject({ code: 0 });
      const listed = await json('saga', 'list');
      expect(listed.counts).toEqual([{ saga: 'paying', state: 'waiting', instances: 2 }]);
      expect(listed.instances[0]).toMatchObject({
        ...{ state: 'waiting', step: 'payment', attempt: 1, error: null, owner: null },
        ...{ waitKey: expect.stringMatching(/^Order-/), dueAt: expect.stringMatching(/Z$/) },
      });
      const shown = await json('saga', 'show', 'paying', 'Order-1');
      expect(shown.waitsFor).toEqual({
        ...{ step: 'payment', kind: 'event', types: ['Paid', 'PaidLater'], key: 'Order-1' },
        until: expect.stringMatching(/Z$/),
      });
      expect(
        (await runCli(['saga', 'show', 'paying', 'Order-1', '--store', url], { cwd, tty: true })).stdout,
      ).toContain('payment waits for Paid or PaidLater with the key Order-1, until ');

      // It waits as it should: only a question about its age finds it.
      expect(await evstore('saga', 'overdue')).toMatchObject({ code: 0 });
      expect(await json('saga', 'overdue', '--older-than', '0ms')).toMatchObject({
        instances: [{ kind: 'waiting' }, { kind: 'waiting' }],
      });

      rmSync(join(cwd, 'sagas'), { recursive: true });
      expect(await evstore('saga', 'cancel', 'paying', 'Order-1')).toMatchObject({ code: 2 });
      const cancel = ['saga', 'cancel', 'paying', 'Order-1', '--reason', 'the customer called'];
      expect(await evstore(...cancel)).toMatchObject({ code: 8 });
      expect(await evstore(...cancel, '--dry-run')).toMatchObject({ code: 0 });
      expect(await json('saga', 'show', 'paying', 'Order-1')).toEqual(shown);
      expect(await evstore(...cancel, '--yes')).toMatchObject({
        code: 0,
        stdout: 'paying Order-1: compensating, version 1, because cancelled: the customer called\n',
        stderr: expect.stringContaining('evstore run paying --once --sagas'),
      });
      const cancelled = JSON.parse((await evstore('saga', 'show', 'paying', 'Order-1', '--json')).stdout);
      expect(cancelled.steps.find(({ name }: { name: string }) => name === 'payment')).toMatchObject({
        ...{ state: 'failed', error: 'cancelled' },
      });
      expect(cancelled.waitsFor).toBe(null);
      expect(await evstore(...cancel, '--yes')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('paying Order-1 is compensating: it is undone already'),
      });

      // A row that was lost hides its instance; it is made again from the stream.
      await store.close();
      await raw.query("delete from evstore_sagas where instance = 'Order-2'");
      expect((await json('saga', 'list')).instances).toHaveLength(1);
      const lost = { kind: 'saga-rows', evidence: 'e.g. paying Order-2', next: 'evstore doctor --fix sagas' };
      for (const command of ['doctor', 'verify']) {
        const found = await json(command);
        expect(found.findings, command).toContainEqual(expect.objectContaining(lost));
      }
      await evstore('doctor', '--fix', 'sagas');
      expect((await json('saga', 'list')).counts).toEqual([
        { saga: 'paying', state: 'compensating', instances: 1 },
        { saga: 'paying', state: 'waiting', instances: 1 },
      ]);
      expect((await json('verify')).findings).not.toContainEqual(expect.objectContaining({ kind: 'saga-rows' }));
    }));

  test('running instances whose code is missing are named, and get what they missed once it is back', () =>
    withTestStore(engine, async ({ url }) => {
      const evstore = (...argv: string[]) => runCli([...argv, '--store', url], { cwd });
      const json = async (...argv: string[]) => JSON.parse((await evstore(...argv, '--json')).stdout);
      const write = (version: number, steps: string) =>
        writeFileSync(
          join(cwd, `sagas/v${version}.ts`),
          `import { defineSaga } from 'evstore';
           export default defineSaga({ name: 'paying', version: ${version}, startOn: 'OrderPlaced' })${steps};`,
        );
      const store = await openStore(url);
      await store.append('Order-1', { type: 'OrderPlaced', data: {} });
      write(1, ".waitFor('payment', { type: 'Paid' })");
      expect(await evstore('run', '--once', '--sagas')).toMatchObject({ code: 0 });
      rmSync(join(cwd, 'sagas/v1.ts'));
      write(2, ".step('act', { action: () => {} })");
      expect(await evstore('run', '--once', '--sagas')).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('1 instance of version 1 cannot continue: no file has that version'),
      });
      await store.append('Order-1', { type: 'Paid', data: {} });
      await store.append('Order-2', { type: 'OrderPlaced', data: {} });
      await store.close();
      expect(await evstore('run', '--once', '--sagas')).toMatchObject({ code: 1 });
      const missing = { kind: 'saga-code-missing', severity: 'error', subject: 'saga paying version 1' };
      expect((await json('doctor')).findings).toContainEqual(expect.objectContaining(missing));

      write(1, ".waitFor('payment', { type: 'Paid' })");
      expect(await evstore('run', '--once', '--sagas')).toMatchObject({ code: 0 });
      expect((await json('saga', 'list')).counts).toEqual([{ saga: 'paying', state: 'completed', instances: 2 }]);
      expect((await json('doctor')).findings).not.toContainEqual(expect.objectContaining({ kind: missing.kind }));
    }));

  test('a trigger that the code cannot take stops the run, or is parked and retried; lag shows both', () =>
    withTestStore(engine, async ({ url }) => {
      const evstore = (...argv: string[]) => runCli([...argv, '--store', url], { cwd });
      const json = async (...argv: string[]) => JSON.parse((await evstore(...argv, '--json')).stdout);
      const store = await openStore(url);
      await store.append('Order-1', { type: 'OrderPlaced', data: {} });
      await store.append('Order-2', { type: 'OrderPlaced', data: { id: 'b' } });
      await store.close();
      const write = (id: string) =>
        writeFileSync(
          join(cwd, 'sagas/strict.ts'),
          `import { defineSaga } from 'evstore';
           export default defineSaga({ name: 'strict', version: 1, startOn: 'OrderPlaced', id: ({ data }) => ${id} })
             .step('act', { action: () => {} });`,
        );
      write('data.id.toUpperCase()');
      const stopped = await evstore('run', '--once', '--sagas');
      expect(stopped, stopped.stderr).toMatchObject({ code: 9 });
      expect((await json('lag')).projections).toMatchObject([
        { name: 'saga:strict', status: 'failed', error: expect.stringContaining('saga strict cannot take event 1') },
      ]);
      expect(await evstore('run', '--once', '--sagas', '--on-error', 'park')).toMatchObject({ code: 0 });
      const lag = await json('lag');
      expect(lag.projections).toMatchObject([{ name: 'saga:strict', lag: 0, parked: 1, error: null, overdue: 0 }]);
      expect(lag.sagas).toEqual([{ saga: 'strict', overdue: 0, states: [{ state: 'completed', instances: 1 }] }]);
      expect((await evstore('lag', '-o', 'prometheus')).stdout).toContain(
        'evstore_saga_instances{saga="strict",state="completed"} 1\n',
      );
      expect((await json('parked', 'list', 'saga:strict')).parked).toMatchObject([{ globalPosition: 1 }]);
      expect(await evstore('parked', 'show', 'saga:strict', '1')).toMatchObject({ code: 0 });
      expect(await evstore('parked', 'retry', 'saga:strict')).toMatchObject({ code: 9 });
      write("data.id ?? 'a'");
      const retried = await evstore('parked', 'retry', 'saga:strict');
      expect(retried, retried.stderr).toMatchObject({ code: 0, stdout: 'Order-1: 1 event applied\n' });
      expect(await evstore('parked', 'retry', 'saga:strict')).toMatchObject({ code: 6 });
      expect(await evstore('run', '--once', '--sagas')).toMatchObject({ code: 0 });
      expect((await json('saga', 'list')).counts).toEqual([{ saga: 'strict', state: 'completed', instances: 2 }]);
    }));
});

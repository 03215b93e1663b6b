import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStore } from '../../src/index.js';
import { runCli } from '../support/cli.js';
import { forEachEngine, withTestStore } from '../support/engines.js';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'evstore-reaction-'));
  for (const folder of ['reactions', 'projections', 'sagas']) mkdirSync(join(cwd, folder));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

function write(file: string, source: string): void {
  writeFileSync(join(cwd, file), source);
}

/** @param body of `react` */
function writeReaction(body: string): void {
  write(
    'reactions/billing.ts',
    `import { defineReaction } from 'evstore';
     export const billing = defineReaction({
       name: 'billing',
       on: 'OrderPlaced',
       react: ({ streamId, data }) => { ${body} },
     });`,
  );
}

const invoice = "return { streamId: 'Invoice-' + streamId, type: 'InvoiceRequested', data };";

forEachEngine((engine) => {
  test('run --sagas runs reactions beside projections; lag, verify, doctor and wait know them', () =>
    withTestStore(engine, async ({ url }) => {
      const evstore = (...argv: string[]) => runCli([...argv, '--store', url], { cwd });
      writeReaction(invoice);
      write(
        'projections/invoices.ts',
        `import { defineProjection } from 'evstore';
         export default defineProjection({
           name: 'invoices', version: 1, table: { columns: { invoiceId: 'text' }, key: 'invoiceId' },
           on: { InvoiceRequested: () => ({}) },
         });`,
      );
      const store = await openStore(url);
      await store.append('Order-1', { type: 'OrderPlaced', data: { total: 1 } });
      await store.close();

      const plain = await evstore('run', '--once');
      expect(plain, plain.stderr).toMatchObject({ code: 0 });
      expect(plain.stdout).not.toContain('reaction');
      const ran = await evstore('run', '--once', '--sagas', '--json');
      expect(ran, ran.stderr).toMatchObject({ code: 0 });
      expect(JSON.parse(ran.stdout)).toMatchObject({
        projections: [{ name: 'invoices', error: null }],
        sagas: [],
        reactions: [{ reaction: 'billing', events: 1, appended: 1, aside: 0, error: null }],
      });
      const named = await evstore('run', 'billing', '--once', '--sagas');
      expect(named).toMatchObject({ code: 0, stdout: expect.stringContaining('reaction billing: at position 2,') });

      const lag = JSON.parse((await evstore('lag', '--json')).stdout);
      expect(lag.projections.find(({ name }: { name: string }) => name === 'reaction:billing')).toMatchObject({
        ...{ version: 1, status: 'idle', lag: 0, estimated: false },
      });
      expect(await evstore('wait', 'billing', '--timeout', '1s')).toMatchObject({ code: 0 });
      const verified = await evstore('verify', '--json');
      expect(verified, verified.stdout).toMatchObject({ code: 0 });
      expect(JSON.parse(verified.stdout).checked).toMatchObject({ cursors: 2, audited: 2 });
      const { findings } = JSON.parse((await evstore('doctor', '--json')).stdout);
      expect(findings.filter(({ subject }: { subject: string }) => /reaction:/.test(subject))).toEqual([]);
      const complete = async (...words: string[]) =>
        (await runCli(['completion', 'names', '--', ...words], { cwd, env: { EVSTORE_URL: url } })).stdout;
      expect(await complete('run', 'b')).toContain('billing');
      expect(await complete('rebuild', '')).not.toContain('billing');
      expect(await complete('parked', 'retry', 're')).toContain('reaction:billing');
      const unhandled = findings.filter(({ kind }: { kind: string }) => kind === 'unhandled-types');
      expect(unhandled).toEqual([]);
      const listed = JSON.parse((await evstore('projections', '--json')).stdout);
      expect(listed.projections.map(({ name }: { name: string }) => name)).toEqual(['invoices']);
    }));

  test('an event that it cannot handle stops it and is named by doctor, or is parked and retried', () =>
    withTestStore(engine, async ({ url }) => {
      const evstore = (...argv: string[]) => runCli([...argv, '--store', url], { cwd });
      writeReaction("throw new Error('no price');");
      const store = await openStore(url);
      await store.append('Order-1', { type: 'OrderPlaced', data: { total: 1 } });
      await store.close();

      const failed = await evstore('run', '--once', '--sagas');
      expect(failed).toMatchObject({ code: 9, stderr: expect.stringContaining('no price') });
      const { findings } = JSON.parse((await evstore('doctor', '--json')).stdout);
      const stopped = findings.find(({ kind }: { kind: string }) => kind === 'stopped');
      expect(stopped).toMatchObject({
        subject: 'reaction:billing',
        next: 'evstore run billing --sagas --once --on-error park',
      });
      const [, ...argv] = stopped.next.split(' ');
      expect(await evstore(...argv)).toMatchObject({ code: 0, stderr: expect.stringContaining('parked') });
      expect((await evstore('parked', '--json')).stdout).toContain('reaction:billing');
      expect(await evstore('parked', 'show', 'reaction:billing', '1')).toMatchObject({ code: 0 });
      expect(await evstore('parked', 'retry', 'reaction:billing')).toMatchObject({ code: 9 });

      writeReaction(invoice);
      const retried = await evstore('parked', 'retry', 'reaction:billing');
      expect(retried, retried.stderr).toMatchObject({ code: 0 });
      expect((await evstore('read', 'Invoice-Order-1', '-q')).stdout.trim().split('\n')).toHaveLength(1);
      expect(await evstore('parked', 'retry', 'reaction:billing')).toMatchObject({ code: 6 });
      expect(await evstore('parked', 'retry', 'reaction:bill')).toMatchObject({ code: 6 });
    }));
});

test('a file that exports no reaction, and a wrong one, are named', () =>
  withTestStore('sqlite', async ({ url }) => {
    const evstore = (...argv: string[]) => runCli([...argv, '--store', url], { cwd });
    write('reactions/a.ts', "export default { name: 'a', on: 'A', react: () => {} };");
    expect((await evstore('run', '--once', '--sagas')).stderr).toContain('is not a reaction');
    for (const [fault, why] of [
      ["name: 'A-1', on: 'A', react: () => {}", 'Its name is'],
      ["name: 'a', on: [], react: () => {}", 'on names the event types'],
      ["name: 'a', on: 'A', maxHops: 0, react: () => {}", 'maxHops'],
      ["name: 'a', on: 'A', timeout: 'soon', react: () => {}", 'timeout'],
      ["name: 'a', on: 'A', react: () => {}, maxHop: 1", 'maxHop'],
      ["name: 'a', on: 'A'", 'no function react'],
    ]) {
      write(
        'reactions/a.ts',
        `import { defineReaction } from 'evstore'; export default defineReaction({ ${fault} } as any);`,
      );
      const { code, stderr } = await evstore('run', '--once', '--sagas');
      expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining(String(why)) });
    }
  }));

test('a reaction may be exported by a file of projections or sagas, which pass it over', () =>
  withTestStore('sqlite', async ({ url }) => {
    const evstore = (...argv: string[]) => runCli([...argv, '--store', url], { cwd });
    const source = `import { defineReaction } from 'evstore';
      export default defineReaction({ name: 'a', version: 1, on: 'A', react: () => undefined });`;
    write('projections/a.ts', source);
    write('sagas/a.ts', source);
    write('reactions/a.ts', source);
    const ran = await evstore('run', '--once', '--sagas', '--json');
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    expect(JSON.parse(ran.stdout)).toMatchObject({ projections: [], sagas: [], reactions: [{ reaction: 'a' }] });
  }));

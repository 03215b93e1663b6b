/** Which projects and names the Temporal kind takes, and what it writes. `test/temporal` runs what it writes. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStore } from '../../src/index.js';
import { temporalPackages } from '../../src/scaffold/project.js';
import { sagaTemplates } from '../../src/scaffold/templates.js';
import { runCli } from '../support/cli.js';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'evstore-temporal-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const generate = (...args: string[]) => runCli(['scaffold', 'saga', ...args], { cwd });
const manifest = (content: object) => writeFileSync(join(cwd, 'package.json'), JSON.stringify(content));
const temporal = ['permit-review', '--kind', 'temporal'];

/** The whole code that was written, by file. */
function readAll(folder: string): Readonly<Record<string, string>> {
  const names = readdirSync(join(cwd, folder));
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(cwd, folder, name), 'utf8')]));
}

test('a folder with the workflow, its activities, a worker, a starter and tests; the next commands are said', async () => {
  manifest({ type: 'module', devDependencies: { vitest: '4', tsx: '4' }, dependencies: { evstore: '1' } });
  const { code, stdout, stderr } = await generate(...temporal);
  expect(code, stderr).toBe(0);
  const files = sagaTemplates.temporal.files ?? [];
  expect(stdout).toBe(files.map((file) => `temporal/permit-review/${file}\n`).join(''));
  expect(stderr).toContain('npm install @temporalio/activity @temporalio/client');
  expect(stderr).toContain('npm install --save-dev @temporalio/proto @temporalio/testing @types/node typescript\n');
  expect(stderr).toContain('npx vitest run temporal/permit-review\n');
});

test('nothing of the sample shop is left in a project with other events or other steps', async () => {
  manifest({ type: 'module' });
  const shop = /Order|reserve|stock|customer|charge|shipment|fulfil|total|4200|Ada\b/i;
  const isWord = /\b(?:in|in which|the|their) order\b/gi;
  for (const [folder, ...args] of [
    ['events', '--events', 'PermitFiled,permit.renewed'],
    ['steps', '--steps', 'check-plans,collectFee,Send_Letter'],
    ['both', '--events', 'PermitFiled', '--steps', 'check-plans'],
  ] as const) {
    const { code, stderr } = await generate(...temporal, '--dir', folder, ...args);
    expect(code, stderr).toBe(0);
    for (const [name, text] of Object.entries(readAll(`${folder}/permit-review`))) {
      const found = text.replace(isWord, '').match(shop);
      expect(found?.[0], `${folder}, ${name}`).toBeUndefined();
    }
  }
  const { 'start-sagas.ts': starter, 'sample.ts': sample } = readAll('events/permit-review');
  expect(starter).toContain("types: ['PermitFiled', 'permit.renewed']");
  expect(sample).toContain("type: 'PermitFiled'");
  expect(sample).toContain("{ step: 'firstStep', undo: 'undoFirstStep', path: 'first-step' },");
  const { 'workflow.ts': workflow, 'sample.ts': requested } = readAll('steps/permit-review');
  expect(requested).toContain("type: 'PermitReviewRequested'");
  expect(workflow?.match(/(?:await|=>) \w+\.\w+\(trigger\)/g)).toEqual(
    ['CheckPlans', 'CollectFee', 'SendLetter'].flatMap((step) => [
      `=> compensations.undo${step}(trigger)`,
      `await steps.${step.charAt(0).toLowerCase()}${step.slice(1)}(trigger)`,
    ]),
  );
});

test('from the store: its event type, its category and the fields of its data are those of the sample', async () => {
  manifest({ type: 'module' });
  const url = `sqlite:${join(cwd, 'store.db')}`;
  const store = await openStore(url, { create: true });
  await store.append('Permit-7', { type: 'PermitFiled', data: { applicant: 'Bo', fee: 12, 'reserve-stock': 1 } });
  await store.close();
  const { code, stderr } = await generate(...temporal, '--from-store', '--store', url, '--steps', 'check-fee');
  expect(code, stderr).toBe(0);
  const { 'sample.ts': sample, 'start-sagas.test.ts': tests = '' } = readAll('temporal/permit-review');
  for (const line of ["streamId: 'Permit-1',", "type: 'PermitFiled',", "applicant: 'applicant 1',", 'fee: 7,']) {
    expect(sample).toContain(line);
  }
  expect(tests).toContain("store.append('Permit-2', [");
  expect(tests).not.toContain('Order');
});

test('the readme names the folder, all packages and the test runner', async () => {
  manifest({ type: 'module' });
  const { code } = await generate(...temporal, '--dir', 'src/flows');
  expect(code).toBe(0);
  const { 'README.md': readme = '', 'workflow.test.ts': tests } = readAll('src/flows/permit-review');
  expect(readme).toContain('npx tsx src/flows/permit-review/worker.ts');
  expect(readme).toContain('node --import tsx --test src/flows/permit-review/*.test.ts');
  for (const name of [...temporalPackages.run, ...temporalPackages.development]) expect(readme).toContain(` ${name}`);
  expect(readme).toContain('Alpine');
  expect(tests).toContain("import { test } from 'node:test';");
  expect(JSON.stringify(readAll('src/flows/permit-review'))).not.toContain('vitest');
});

test.each([
  [undefined, 'there is no package.json', 'npm init --yes --init-type module'],
  [{}, 'has no "type": "module"', 'npm pkg set type=module'],
  [{ type: 'commonjs' }, 'not as CommonJS', 'npm pkg set type=module'],
  [{ type: 'module', devDependencies: { jest: '30' } }, 'no tests for jest', 'npm install --save-dev vitest'],
  [{ type: 'module', devDependencies: { mocha: '11' } }, 'no tests for mocha', 'npm install --save-dev vitest'],
])('a project with the package.json %j is refused', async (content, what, next) => {
  if (content !== undefined) manifest(content);
  const { code, stdout, stderr } = await generate(...temporal);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(what);
  expect(stderr).toContain(`next: ${next}`);
  expect(existsSync(join(cwd, 'temporal'))).toBe(false);
});

test('the package.json that is nearest to the files counts', async () => {
  manifest({ devDependencies: { jest: '30' } });
  mkdirSync(join(cwd, 'packages/app'), { recursive: true });
  writeFileSync(join(cwd, 'packages/app/package.json'), JSON.stringify({ type: 'module' }));
  expect(await generate(...temporal)).toMatchObject({ code: 2 });
  expect(await generate(...temporal, '--dir', 'packages/app/temporal')).toMatchObject({ code: 0 });
});

test.each([
  ['x', '--kind', 'temporal', '--steps', 'a b'],
  ['x', '--kind', 'temporal', '--steps', 'a,,b'],
  ['x', '--kind', 'temporal', '--steps', "a');process.exit()//"],
  ['x', '--kind', 'temporal', '--steps', 'a,b,A'],
  ['x', '--kind', 'temporal', '--steps', 'charge-card,chargeCard'],
  ['x', '--kind', 'temporal', '--steps', 'undo-a'],
  ['x', '--kind', 'temporal', '--dir', '../elsewhere'],
  ['steps', '--kind', 'temporal'],
  ['start-sagas', '--kind', 'temporal'],
])('scaffold saga %s %s %s %s %s is a usage error', async (...args) => {
  manifest({ type: 'module' });
  expect(await generate(...args)).toMatchObject({ code: 2, stdout: '' });
  expect(readdirSync(cwd)).toEqual(['package.json']);
});

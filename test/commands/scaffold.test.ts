import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStore } from '../../src/index.js';
import { runCli } from '../support/cli.js';
import { forEachEngine, withTestStore } from '../support/engines.js';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'evstore-scaffold-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const scaffold = (...args: string[]) => runCli(['scaffold', ...args], { cwd });

test('a projection and its test are written, and the next commands said', async () => {
  const { code, stdout, stderr } = await scaffold('projection', 'OrderSummary');
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: 'projections/order-summary.ts\nprojections/order-summary.test.ts\n',
  });
  expect(stderr).toContain('npx vitest run projections/order-summary.test.ts');
  expect(stderr).toContain('evstore run --once');
  expect(readFileSync(join(cwd, 'projections/order-summary.ts'), 'utf8')).toBe(
    readFileSync(new URL('../../templates/projection/order-summary.ts', import.meta.url), 'utf8'),
  );
});

test('a second time is refused, with exit code 2 and the file named', async () => {
  await scaffold('saga', 'permit-review');
  const again = await scaffold('saga', 'permit-review');
  expect(again).toMatchObject({ code: 2, stdout: '' });
  expect(again.stderr).toContain('sagas/permit-review.ts exists');
  expect(again.stderr).toContain('next: evstore scaffold saga permit-review --force --dry-run\n');

  // --force shows a diff, also in a dry run, which writes nothing.
  const file = join(cwd, 'sagas/permit-review.ts');
  const generated = readFileSync(file, 'utf8');
  writeFileSync(file, `${generated}// mine\n`);
  const dry = await scaffold('saga', 'permit-review', '--force', '--dry-run');
  expect(dry.stderr).toContain('sagas/permit-review.ts\n');
  expect(dry.stderr).toContain('\n- // mine\n');
  expect(dry.stderr).toContain('sagas/permit-review.test.ts does not change\n');
  expect(readFileSync(file, 'utf8')).toBe(`${generated}// mine\n`);
  const unasked = await scaffold('saga', 'permit-review', '--force');
  expect(unasked).toMatchObject({ code: 8, stdout: '' });
  expect(unasked.stderr).toContain('\n- // mine\n');
  expect(readFileSync(file, 'utf8')).toBe(`${generated}// mine\n`);
  const forced = await scaffold('saga', 'permit-review', '--force', '--yes');
  expect(forced).toMatchObject({ code: 0 });
  expect(forced.stderr).toContain('\n- // mine\n');
  expect(readFileSync(file, 'utf8')).toBe(generated);
});

test('a dry run prints the code and writes nothing', async () => {
  const args = ['projection', 'permits', '--kind', 'join', '--events', 'PermitFiled,ApplicantNamed', '--dry-run'];
  const { code, stdout } = await scaffold(...args);
  expect(code).toBe(0);
  expect(stdout).toContain('// projections/permits.ts\n');
  expect(stdout).toContain('ApplicantNamed: (event, t) => setName(event, t),');
  expect(readdirSync(cwd)).toEqual([]);
});

test('programs get one JSON document', async () => {
  const { stdout, stderr } = await scaffold('projection', 'permits', '--dir', 'src/read-models', '--json');
  expect(JSON.parse(stdout)).toMatchObject({
    name: 'permits',
    files: [{ path: 'src/read-models/permits.ts' }, { path: 'src/read-models/permits.test.ts' }],
    dryRun: false,
  });
  // No hints, but what would be missed.
  expect(stderr).toMatch(/^warning: evstore run does not find it; add to [^\n]*src\/read-models[^\n]*\n$/);
  expect(existsSync(join(cwd, 'src/read-models/permits.ts'))).toBe(true);
});

test('a folder that the config does not name is added to it, or the line to add is printed', async () => {
  const config = join(cwd, 'evstore.config.json');
  writeFileSync(config, '{\n  "store": "sqlite:x.db",\n  "projections": "src/views/**/*.ts"\n}\n');
  mkdirSync(join(cwd, 'deep'));
  const deep = (...args: string[]) => runCli(['scaffold', ...args], { cwd: join(cwd, 'deep') });

  // Beside the config, in the folder of its glob.
  const found = await deep('projection', 'permits');
  expect(found.stdout).toBe('../src/views/permits.ts\n../src/views/permits.test.ts\n');
  expect(existsSync(join(cwd, 'src/views/permits.ts'))).toBe(true);

  const dry = await deep('projection', 'fees', '--dir', 'own', '--dry-run');
  expect(dry.stderr).toContain('+   "projections": ["src/views/**/*.ts", "deep/own"]');
  expect(readFileSync(config, 'utf8')).not.toContain('own');
  const added = await deep('projection', 'fees', '--dir', 'own');
  expect(added.stdout).toBe('own/fees.ts\nown/fees.test.ts\n../evstore.config.json\n');
  expect(JSON.parse(readFileSync(config, 'utf8'))).toEqual({
    store: 'sqlite:x.db',
    projections: ['src/views/**/*.ts', 'deep/own'],
  });
  const again = await deep('projection', 'more', '--dir', 'own');
  expect(again.stdout).toBe('own/more.ts\nown/more.test.ts\n');
  const saga = await deep('saga', 'review', '--dir', 'own');
  expect(saga.stdout).toContain('../evstore.config.json\n');
  expect(JSON.parse(readFileSync(config, 'utf8'))).toMatchObject({ sagas: ['sagas', 'deep/own'] });

  // A config that is code is neither run nor changed.
  rmSync(config);
  writeFileSync(join(cwd, 'evstore.config.ts'), "throw new Error('run');\n");
  const code = await scaffold('projection', 'permits', '--dir', 'elsewhere');
  expect(code.stdout).toBe('elsewhere/permits.ts\nelsewhere/permits.test.ts\n');
  expect(code.stderr).toContain('add to evstore.config.ts: "projections": ["projections","elsewhere"]');
});

test('the project decides how the code is written, and what was found is said', async () => {
  writeFileSync(join(cwd, 'package.json'), '{ "devDependencies": { "jest": "30", "prettier": "3" } }');
  const { stdout, stderr } = await scaffold(
    'aggregate',
    'permit',
    '--events',
    'PermitFiled,PermitGranted',
    '--dry-run',
  );
  expect(stderr).toContain('found: JavaScript (.js), modules with require, jest, 2 spaces, double quotes (');
  expect(stdout).toContain('const { defineAggregate } = require("evstore");\n');
  expect(stdout).toContain('module.exports = defineAggregate({\n');
  expect(stdout).toContain('category: "Permit",\n');
  expect(stdout).not.toMatch(/Order|interface|from "jest/);
});

test('a project without a test runner is told which one the test is for', async () => {
  writeFileSync(join(cwd, 'package.json'), '{ "devDependencies": { "typescript": "7" } }');
  const { stderr } = await scaffold('upcaster', 'permit-source', '--events', 'PermitFiled');
  expect(stderr).toContain('package.json has no vitest, jest or node --test: the test is for vitest');
  expect(await scaffold('upcaster', 'x', '--events', 'A,B')).toMatchObject({ code: 2, stdout: '' });
});

test.each([
  ['saga', 'x', '--steps', 'a,../b'],
  ['saga', 'x', '--steps', 'a_b,aB'],
  ['projection', 'x', '--kind', 'nonsense'],
  ['projection', '../x'],
  ['projection', 'x', '--events', 'A,B;'],
  ['projection', 'x', '--dir', '../elsewhere'],
  ['projection', 'x', '--category', 'Order'],
  ['projection', 'x', '--sample', '10'],
  ['projection', 'x', '--from-store', '--sample', '0'],
  ['projection', 'x', '--kind', 'join', '--events', 'A'],
  ['projection'],
])('scaffold %s %s %s %s is a usage error', async (...args) => {
  expect(await scaffold(...args)).toMatchObject({ code: 2, stdout: '' });
  expect(readdirSync(cwd)).toEqual([]);
});

forEachEngine((engine) => {
  test('from the store: the types of the largest category, and the fields of its first event', () =>
    withTestStore(engine, async ({ url }) => {
      const missing = await scaffold('projection', 'permits', '--from-store', '--store', url);
      expect(missing).toMatchObject({ code: 6, stdout: '' });

      const store = await openStore(url);
      await store.append('Other-1', { type: 'Noise', data: { x: 1 } });
      const data = { applicant: 'ada', fee: 12, rate: 1.5, urgent: true, filedAt: '2026-01-01T00:00:00Z', lines: [1] };
      await store.append('Permit-1', [
        { type: 'PermitFiled', data: { ...data, status: 'taken', 'odd name': 1 } },
        { type: "Permit'Odd", data: {} },
        { type: 'PermitGranted', data: {} },
      ]);
      await store.close();

      const made = await scaffold('projection', 'permits', '--from-store', '--store', url);
      expect(made).toMatchObject({ code: 0 });
      expect(made.stderr).toMatch(/left out: Permit'Odd, odd name, status/);
      const code = readFileSync(join(cwd, 'projections/permits.ts'), 'utf8');
      for (const line of [
        "applicant: 'text',",
        "fee: 'bigint',",
        "rate: 'real',",
        "urgent: 'boolean',",
        "filedAt: 'timestamp',",
        "lines: 'json',",
        'filedAt: event.data.filedAt,',
        'PermitGranted: (row, event) =>',
      ]) {
        expect(code).toContain(line);
      }
      expect(code).not.toMatch(/Noise|Odd|odd|total|customer/);
      // The test has data of the shape of the stored data, in streams of their category, and no value of the store.
      const written = readFileSync(join(cwd, 'projections/permits.test.ts'), 'utf8');
      for (const line of [
        "const first = given('Permit-1', 'PermitFiled', {\n",
        "  applicant: 'applicant 1',\n  fee: 7,\n",
        "  'odd name': 7,\n",
        "        filedAt: '2026-01-01T00:00:00.000Z',\n        lines: [7],\n",
        "    given('Permit-1', 'PermitGranted', {}),\n",
      ]) {
        expect(written).toContain(line);
      }
      expect(written).not.toMatch(/ada|Order|4200/);
      const run = await runCli(['run', '--once', '--store', url], { cwd });
      expect(run.stdout, run.stderr).toContain('permits: at position');
    }));

  test('from the store: a sample is called one, and --sample says how many events are examined', () =>
    withTestStore(engine, async ({ url }) => {
      const store = await openStore(url);
      await store.append('Permit-1', [
        { type: 'Filed', data: { fee: 1, big: 9007199254740993n } },
        { type: 'Filed', data: { fee: 1.5, big: 1 } },
        { type: 'Granted', data: {} },
      ]);
      await store.close();
      const from = async (...flags: string[]) => {
        const args = ['projection', 'permits', '--from-store', '--dry-run', '--store', url, ...flags];
        const { code, stdout, stderr } = await scaffold(...args);
        expect(code, stderr).toBe(0);
        return { types: /: ((?:Filed|Granted).*)/.exec(stderr)?.[1], isSample: stderr.includes('sample'), stdout };
      };
      // One event of each type, the last one.
      expect(await from('--sample', '1')).toMatchObject({ types: 'Filed, Granted', isSample: true });
      expect((await from('--sample', '1', '--events', 'Granted')).isSample).toBe(false);
      for (const flags of [[], ['--sample', '2'], ['--sample', 'all']]) {
        const { types, isSample, stdout } = await from(...flags);
        expect({ types, isSample }).toEqual({ types: 'Filed, Granted', isSample: false });
        expect(stdout).toContain("fee: 'real',");
        expect(stdout).toContain("big: 'bigint',");
      }
    }));
});

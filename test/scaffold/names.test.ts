import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseEventTypes, spellName } from '../../src/scaffold/names.js';
import { type Scaffold, type Scaffolded, scaffold } from '../../src/scaffold/scaffold.js';
import { projectionTemplates } from '../../src/scaffold/templates.js';
import { writeFiles } from '../../src/scaffold/write.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'evstore-scaffold-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function request(change: object = {}) {
  const plain = { template: projectionTemplates.summary, name: 'permits', events: undefined, fields: [] };
  return { ...plain, root, folder: 'projections', force: false, ...change };
}

async function write(scaffolded: Promise<Scaffolded>): Promise<void> {
  (await scaffolded).write();
}

const refuses = (change: Partial<Scaffold>, error: object = { code: 'E_USAGE' }) =>
  expect(write(scaffold(request(change)))).rejects.toThrowError(expect.objectContaining(error));

test('one name in every spelling', () => {
  const expected = { kebab: 'order-summary', camel: 'orderSummary', snake: 'order_summary', words: 'order summary' };
  for (const name of ['order-summary', 'orderSummary', 'OrderSummary', 'order_summary']) {
    expect(spellName(name)).toEqual(expected);
  }
});

const hostile = [
  '../x',
  '/abs',
  'a/../../b',
  'C:\\x',
  'con',
  'COM1',
  '.',
  '',
  'x.ts',
  "x'); process.exit()//",
  '$' + '{process.exit()}',
  'a\nb',
  'a b',
  '1st',
  'class',
  'test',
  'events',
  'pg_stat',
  'evstore_sagas',
  'x'.repeat(41),
  'ünïcode',
  '-x',
];

test.each(hostile)('H19 H20: the name %j is refused', async (name) => {
  await refuses({ name });
  expect(readdirSync(root)).toEqual([]);
});

test.each(["A');process.exit()//", 'A\nB', '`$' + '{x}`', '', 'a b', '__proto__', "it's"])(
  'H20: the event type %j is refused',
  (type) => {
    expect(() => parseEventTypes(`OrderPlaced,${type}`)).toThrowError(expect.objectContaining({ code: 'E_USAGE' }));
  },
);

test.each(['../out', '/tmp', '..', 'a/../../b'])('H19: nothing is written to %s', async (folder) => {
  await refuses({ folder });
});

test('H19: a folder behind a symbolic link is refused', async () => {
  const outside = mkdtempSync(join(tmpdir(), 'evstore-outside-'));
  symlinkSync(outside, join(root, 'projections'), 'dir');
  for (const folder of ['projections', 'projections/deeper']) {
    await refuses({ folder });
  }
  expect(readdirSync(outside)).toEqual([]);
  rmSync(outside, { recursive: true });
});

test('an existing file is never overwritten, and nothing is half written', async () => {
  mkdirSync(join(root, 'projections'));
  writeFileSync(join(root, 'projections/permits.test.ts'), 'mine');
  await refuses({}, { code: 'E_USAGE', message: expect.stringContaining('permits.test.ts') });
  expect(readdirSync(join(root, 'projections'))).toEqual(['permits.test.ts']);
  expect(readFileSync(join(root, 'projections/permits.test.ts'), 'utf8')).toBe('mine');
});

test('with force it is replaced, and no draft is left behind', async () => {
  await write(scaffold(request()));
  writeFileSync(join(root, 'projections/permits.ts'), 'mine');
  await write(scaffold(request({ force: true })));
  expect(readdirSync(join(root, 'projections')).sort()).toEqual(['permits.test.ts', 'permits.ts']);
  expect(readFileSync(join(root, 'projections/permits.ts'), 'utf8')).toContain("name: 'permits'");
});

test('with force, all are replaced or none', async () => {
  await write(scaffold(request()));
  writeFileSync(join(root, 'projections/permits.ts'), 'mine');
  const files = [
    { name: 'permits.ts', content: 'new' },
    { name: 'missing/permits.ts', content: 'new' },
  ];
  expect(() => writeFiles(files, { root, folder: 'projections', force: true })).toThrowError(
    expect.objectContaining({ code: 'E_OUTPUT' }),
  );
  expect(readdirSync(join(root, 'projections')).sort()).toEqual(['permits.test.ts', 'permits.ts']);
  expect(readFileSync(join(root, 'projections/permits.ts'), 'utf8')).toBe('mine');
});

test('with force a symbolic link is still refused', async () => {
  mkdirSync(join(root, 'projections'));
  writeFileSync(join(root, 'precious'), 'mine');
  symlinkSync('../precious', join(root, 'projections/permits.ts'));
  await refuses({ force: true });
  expect(readFileSync(join(root, 'precious'), 'utf8')).toBe('mine');
});

test('the files are planned before any is written', async () => {
  const report = await scaffold(request({ events: ['PermitFiled', 'PermitGranted'] }));
  expect(report.files.map(({ path }) => path)).toEqual(['projections/permits.ts', 'projections/permits.test.ts']);
  expect(report.files[0]?.content).toContain('PermitGranted: (row, event)');
  expect(report.files[0]?.content).not.toMatch(/Order|customer/);
  expect(readdirSync(root)).toEqual([]);
});

test('an aggregate refuses event types that would share a column', async () => {
  const template = projectionTemplates.aggregates;
  for (const events of [['OrderPlaced', 'order.placed'], ['Day'], ['X'.repeat(64)]]) {
    await refuses({ template, events });
  }
});

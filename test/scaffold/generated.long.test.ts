/** What scaffolding makes type-checks under strict, and its tests pass, for every kind and for awkward names. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Field } from '../../src/scaffold/plan.js';
import { scaffold } from '../../src/scaffold/scaffold.js';
import { projectionTemplates, sagaTemplates, type Template } from '../../src/scaffold/templates.js';
import { allowMoreTime } from '../support/more-time.js';

allowMoreTime('what is scaffolded is type-checked and its tests run in a process of vitest');

const root = fileURLToPath(new URL('../..', import.meta.url));
const fields: readonly Field[] = [
  { name: 'applicant', type: 'text', sample: "'text'" },
  { name: 'fee', type: 'bigint', sample: '7' },
  { name: 'due_on', type: 'timestamp', sample: "'2026-01-01T00:00:00.000Z'" },
  { name: 'details', type: 'json', sample: '{ any: [1] }' },
];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'evstore-generated-'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir');
  const templates: readonly Template[] = [...Object.values(projectionTemplates), sagaTemplates.orchestration];
  for (const [index, template] of templates.entries()) {
    const variants: readonly (readonly [string, readonly string[] | undefined, readonly Field[]])[] = [
      [`${template.name}-again`, undefined, []],
      [`permitReview${index}`, ['PermitFiled', 'permit.checked', 'T02-Decided', 'Closed', 'Archived'], fields],
      [`Pair_Of_Events_${index}`, ['First', 'Second'], []],
      ...(template === projectionTemplates.join ? [] : [[`single${index}`, ['Only_One'], []] as const]),
    ];
    for (const [name, events, inferred] of variants) {
      const request = { template, name, events, fields: inferred, root: folder, force: false, dryRun: false };
      scaffold({ ...request, folder: `${template.folder}s` });
    }
  }
  const evstore = { evstore: join(root, 'src/index.ts'), 'evstore/testing': join(root, 'src/testing.ts') };
  const alias = Object.entries(evstore)
    .reverse()
    .map(([find, replacement]) => ({ find, replacement }));
  writeFileSync(
    join(folder, 'vitest.config.js'),
    `export default ${JSON.stringify({ resolve: { alias }, server: { fs: { strict: false } } })};`,
  );
  const paths = Object.fromEntries(Object.entries(evstore).map(([name, file]) => [name, [file]]));
  const compilerOptions = {
    target: 'es2023',
    module: 'nodenext',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    skipLibCheck: true,
    types: ['node'],
    paths,
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['projections', 'sagas'] }));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  mkdirSync(join(folder, 'elsewhere'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('it type-checks under strict', async () => {
  const result = await execa(join(root, 'node_modules/.bin/tsc'), ['-p', folder], { reject: false });
  expect(result.stdout).toBe('');
  expect(result.exitCode).toBe(0);
});

test('its tests pass as generated', async () => {
  const args = ['run', '--root', folder, '--config', join(folder, 'vitest.config.js'), '--reporter', 'json'];
  const result = await execa(join(root, 'node_modules/.bin/vitest'), args, {
    cwd: folder,
    reject: false,
    env: { NODE_OPTIONS: '' },
  });
  const report = JSON.parse(result.stdout.slice(result.stdout.indexOf('{')));
  expect(report, result.stdout.slice(0, 4000)).toMatchObject({ success: true, numFailedTests: 0 });
  expect(report.numPassedTestSuites).toBeGreaterThanOrEqual(19);
});

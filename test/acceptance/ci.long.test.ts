/** The recipes of docs/ci.md, as they stand, by the packed program on a store with events. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { allowMoreTime } from '../support/more-time.js';
import { type PackedPackage, packPackage, type RunResult } from '../support/package.js';

allowMoreTime('the package is packed, installed and run by a shell');

const page = readFileSync(fileURLToPath(new URL('../../docs/ci.md', import.meta.url)), 'utf8');

/** The shell below a heading, by paragraph. */
function recipesOf(heading: string): string[] {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  return [...section.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);
}

let packed: PackedPackage;
beforeAll(async () => {
  packed = await packPackage();
});
afterAll(() => packed.remove());

function writeProjections(version: number, factor: number): void {
  mkdirSync(join(packed.folder, 'projections'), { recursive: true });
  const table = "table: { columns: { orderId: 'text', total: 'bigint' }, key: 'orderId' }";
  const on = `on: { OrderPlaced: (_row, { data }) => ({ total: data.total * (data.total > 3 ? ${factor} : 1) }) }`;
  const file = (name: string, itsVersion: number) =>
    `export const ${name} = { name: '${name}', version: ${itsVersion}, ${table}, ${on} };\n`;
  writeFileSync(join(packed.folder, 'projections/a.mjs'), file('changed', version));
  writeFileSync(join(packed.folder, 'projections/b.mjs'), file('unchanged', 1).replace(`? ${factor}`, '? 1'));
}

/** As a step of GitHub Actions runs it. */
function runStep(script: string, env: Record<string, string> = {}): Promise<RunResult> {
  return packed.shell(`set -e\n${script}`, {
    env: { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: 'summary.md', ...env },
  });
}

test('a pull request that changes more rows than expected fails, and leaves the store as it was', async () => {
  const [check = ''] = recipesOf('Check a pull request');
  writeProjections(1, 1);
  const events = Array.from({ length: 5 }, (_, index) => {
    return `evstore append Order-${index + 1} --type OrderPlaced --data '{"total":${index + 1}}'`;
  });
  expect(await runStep(['evstore init --no-config', ...events, 'evstore run --once'].join('\n'))).toMatchObject({
    code: 0,
  });
  expect(await runStep(check)).toMatchObject({ code: 0 });

  writeProjections(2, 10);
  const refused = await runStep(check);
  expect(refused).toMatchObject({ code: 1 });
  const report = JSON.parse(readFileSync(join(packed.folder, 'rebuilds.json'), 'utf8'));
  expect(report).toMatchObject({
    ok: false,
    rebuilds: [
      { projection: 'changed', outcome: 'failed', error: { code: 'E_CHECK_FAILED' } },
      { projection: 'unchanged', outcome: 'ready', error: null },
    ],
  });
  expect(readFileSync(join(packed.folder, 'summary.md'), 'utf8')).toContain('| changed | failed |');
  expect(await runStep(check, { MAX_DIFF: '2' })).toMatchObject({ code: 0 });
  const { stdout } = await packed.evstore(['projections', '--json']);
  expect(JSON.parse(stdout).projections).toMatchObject([
    { name: 'changed', version: 1 },
    { name: 'unchanged', version: 1 },
  ]);
});

test('a deployment rebuilds what changed, or everything', async () => {
  const [everything = '', changed = ''] = recipesOf('Deploy');
  expect(await runStep(changed)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('changed: version 2 is live'),
  });
  const again = await runStep(changed);
  expect(again).toMatchObject({ code: 0 });
  expect(again.stdout).not.toContain('is live');
  const all = await runStep(everything);
  expect(all, all.stderr).toMatchObject({ code: 0 });
  expect(all.stdout).toContain('unchanged: version 1 is live');
});

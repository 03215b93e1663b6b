/** The code of the guides in docs/, compiled strictly and run with the packed program. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { allowMoreTime } from '../support/more-time.js';
import { type PackedPackage, packPackage } from '../support/package.js';

allowMoreTime('the package is packed, installed and run by a shell');

const root = fileURLToPath(new URL('../..', import.meta.url));

let packed: PackedPackage;
beforeAll(async () => {
  packed = await packPackage();
  writeFileSync(join(packed.folder, 'package.json'), '{"type":"module"}');
  mkdirSync(join(packed.folder, 'node_modules/@types'), { recursive: true });
  symlinkSync(join(root, 'node_modules/@types/node'), join(packed.folder, 'node_modules/@types/node'), 'dir');
});
afterAll(() => packed.remove());

/** Writes the files that the blocks name in their first line. */
function writeFiles(guide: string): readonly string[] {
  const text = readFileSync(join(root, 'docs', guide), 'utf8');
  return [...text.matchAll(/^```ts\n\/\/ (\S+)\n([\s\S]*?)^```$/gm)].map(([, file = '', code = '']) => {
    mkdirSync(dirname(join(packed.folder, file)), { recursive: true });
    writeFileSync(join(packed.folder, file), code);
    return file;
  });
}

function run(...words: readonly string[]) {
  return execa(process.execPath, words, { cwd: packed.folder, reject: false });
}

test('your first aggregate', async () => {
  const files = writeFiles('aggregates.md');
  expect(files).toEqual(['aggregates/account.ts', 'program.ts', 'aggregates/account.test.ts']);
  const options = [
    '--strict',
    '--exactOptionalPropertyTypes',
    '--noUncheckedIndexedAccess',
    '--noEmit',
    '--ignoreConfig',
  ];
  const kinds = ['--module', 'nodenext', '--target', 'es2022', '--allowImportingTsExtensions', '--types', 'node'];
  const compiled = await run(join(root, 'node_modules/typescript/bin/tsc'), ...options, ...kinds, ...files);
  expect(compiled.stdout).toBe('');
  const tsx = join(root, 'node_modules/tsx/dist/cli.mjs');
  const program = await run(tsx, 'program.ts');
  expect(program, program.stderr).toMatchObject({
    exitCode: 0,
    stdout: "the balance is 50\n2 { status: 'open', balance: 50 }",
  });
  const tested = await run(tsx, 'aggregates/account.test.ts');
  expect(tested, tested.stderr).toMatchObject({ exitCode: 0 });
  const env = { EVSTORE_URL: 'sqlite:./bank.db' };
  const created = await packed.evstore(['snapshots', 'create', 'account', 'Account-7', '--json'], { env });
  expect(created, created.stderr).toMatchObject({ code: 0 });
  expect(JSON.parse(created.stdout).snapshots).toEqual([{ streamId: 'Account-7', version: 2, result: 'stored' }]);
  const verified = await packed.evstore(['snapshots', 'verify', '--json'], { env });
  expect(JSON.parse(verified.stdout)).toEqual({ verified: 1, passedOver: 0, wrong: [] });
  // The program of another compiler begins at the snapshot that the command line made.
  const moved = "from './aggregates/account.ts'";
  const reading = `import { openStore } from 'evstore'; import { account } ${moved};
    let read = 0;
    const evolve = Object.fromEntries(Object.entries(account.evolve).map(([type, handle]: any) =>
      [type, (...given: any[]) => { read += 1; return handle(...given); }]));
    const store = await openStore('sqlite:./bank.db');
    const { version } = await store.load({ ...account, evolve } as any, '7');
    console.log(version, read);
    await store.close();`;
  writeFileSync(join(packed.folder, 'reading.ts'), reading);
  expect(await run(tsx, 'reading.ts')).toMatchObject({ stdout: '2 0' });
});

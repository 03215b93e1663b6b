/** What is said where a store cannot be opened at all. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeFolder, runCli } from '../support/cli.js';
import { runProgram } from '../support/program.js';

test('Bun cannot open a SQLite store, and is told so', async () => {
  const cwd = makeFolder();
  const bun = join(cwd, 'bun.cjs');
  writeFileSync(bun, "Object.defineProperty(process.versions, 'bun', { value: '1.3.0' });");
  const env = { ...process.env, NODE_OPTIONS: `--require ${bun}` };
  const program = runProgram('bin/evstore.ts', ['init', '--no-config'], { cwd, env });
  expect(await program.ended).toBe(2);
  expect(program.stderr).toContain('error: Bun cannot open a SQLite store (E_CONFIG)');
});

// Root may read every file.
test.skipIf(process.getuid?.() === 0)('a file that this user may not read is a matter of permission', async () => {
  const cwd = makeFolder();
  await runCli(['init', '--no-config'], { cwd });
  chmodSync(join(cwd, 'evstore.db'), 0);
  const { code, stderr } = await runCli(['streams'], { cwd });
  expect({ code, stderr }).toMatchObject({ code: 3, stderr: expect.stringContaining('this user may not read') });
});

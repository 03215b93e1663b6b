/** `evstore explain`: every error has an explanation, and every command in one can be run. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { catalog } from '../../commands/catalog.js';
import type { Command } from '../../commands/options/command.js';
import { sharedOptions } from '../../commands/options/shared-options.js';
import { loaders } from '../../commands/program/loaders.js';
import { explanations } from '../../src/output/explanations.js';
import { runCli } from '../support/cli.js';

const root = join(import.meta.dirname, '../..');

test('every code that src and commands contain has an explanation', async () => {
  const codes = ['src', 'commands'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => readFileSync(join(root, folder, file), 'utf8').match(/(?<=')E_[A-Z_]+(?=')/g) ?? []),
  );
  expect(new Set(codes).size).toBeGreaterThan(25);
  expect([...new Set(codes)].filter((code) => !Object.hasOwn(explanations, code))).toEqual([]);
  const { stdout } = await runCli(['explain', '--json']);
  expect(JSON.parse(stdout).codes.map((each: { code: string }) => each.code)).toEqual(Object.keys(explanations));
});

test('an explanation needs no store: what it means, why it happens and what to do', async () => {
  const env = { EVSTORE_URL: 'postgres://ada@127.0.0.1:1/none' };
  const { code, stdout } = await runCli(['explain', 'E_VERSION_CONFLICT'], { env });
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^E_VERSION_CONFLICT \(exit code 4\)\n.*\n\nWhy it happens:\n(?: {2}- .*\n)+\nWhat to do:\n(?: {2}- .*\n)+$/,
  );
  expect((await runCli(['explain', 'version-conflict'], { env })).stdout).toBe(stdout);
  const report = JSON.parse((await runCli(['explain', 'E_TIMEOUT', '--json'], { env })).stdout);
  expect(report).toMatchObject({ code: 'E_TIMEOUT', exitCode: 7, causes: expect.any(Array), ways: expect.any(Array) });
});

test('a code with a typing error is not found, and the nearest one is named', async () => {
  const { code, stderr } = await runCli(['explain', 'E_VERSON_CONFLICT']);
  expect(code).toBe(6);
  expect(stderr).toContain('Did you mean E_VERSION_CONFLICT?\nnext: evstore explain E_VERSION_CONFLICT\n');
});

test('the commands and options in explanations exist', async () => {
  const commands = Object.values(explanations).flatMap(({ ways }) =>
    ways.flatMap((way) => /(?<=: evstore )[a-z].*$/.exec(way) ?? []),
  );
  expect(commands.length).toBeGreaterThan(20);
  for (const line of commands) {
    const [name = '', ...words] = line.split(' ');
    if (name === 'COMMAND') continue;
    expect(Object.keys(catalog), line).toContain(name);
    const { command } = await loaders[name as keyof typeof loaders]();
    const known = optionsOf(command);
    for (const word of words.filter((each) => each.startsWith('-'))) expect(known, line).toContain(word);
  }
});

function optionsOf(command: Command): readonly (string | undefined)[] {
  const own = [...command.options, ...sharedOptions(command)].flatMap(({ long, short }) => [long, short]);
  return [...own, '--help', ...(command.subcommands ?? []).flatMap(optionsOf)];
}

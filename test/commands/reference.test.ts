/**
 * docs/reference/commands.md is made from the catalog and the help of each command, so it cannot differ from them.
 * `npm run docs` writes it again.
 * docs/reference/errors.md is what `evstore explain` prints.
 */
import { expect, test } from 'vitest';
import { catalog } from '../../commands/catalog.js';
import type { Command } from '../../commands/options/command.js';
import { loaders } from '../../commands/program/loaders.js';
import { renderErrorsPage } from '../../src/output/explanation-text.js';
import { runCli } from '../support/cli.js';

test('the reference page is the help of every command', async () => {
  const entries = Object.entries(catalog);
  const sections: string[] = [];
  for (const group of new Set(entries.map(([, entry]) => entry.group))) {
    const commands = entries.filter(([, entry]) => entry.group === group);
    const list = commands.map(([name, { summary }]) => `- [\`${name}\`](#evstore-${name}): ${summary}`);
    sections.push(`## ${group.replace(':', '')}\n\n${list.join('\n')}\n`);
    for (const [name] of commands) {
      const { command } = await loaders[name as keyof typeof loaders]();
      for (const path of pathsOf(command)) sections.push(await describe(path));
    }
  }
  const [, shared = ''] = (await helpOf(['streams'])).split('\nShared options:\n');
  const intro = [
    '# Commands',
    'This page is the output of `evstore COMMAND --help` for every command.',
    '## Shared options',
    'Every command accepts these options, before or after its name:',
    `\`\`\`text\n${shared.trimEnd()}\n\`\`\`\n`,
  ];
  await expect(`${intro.join('\n\n')}\n${sections.join('\n')}`).toMatchFileSnapshot('../../docs/reference/commands.md');
});

test('the page of errors is what explain prints', async () => {
  await expect(renderErrorsPage()).toMatchFileSnapshot('../../docs/reference/errors.md');
});

async function describe(path: readonly string[]): Promise<string> {
  const [own = ''] = (await helpOf(path)).split('\nShared options:\n');
  const level = path.length === 1 ? '###' : '####';
  return `${level} evstore ${path.join(' ')}\n\n\`\`\`text\n${own.trimEnd()}\n\`\`\`\n`;
}

async function helpOf(path: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runCli([...path, '--help']);
  expect({ path, code, stderr }).toEqual({ path, code: 0, stderr: '' });
  return stdout;
}

/** `['migrate'], ['migrate', 'up'] …` */
function pathsOf({ usage, subcommands = [] }: Command): string[][] {
  const name = usage.split(' ')[0] ?? '';
  return [[name], ...subcommands.flatMap((child) => pathsOf(child).map((path) => [name, ...path]))];
}

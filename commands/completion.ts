/** `evstore completion`: a script that teaches a shell the commands and their flags. */

import { EvstoreError } from '../src/domain/errors.js';
import { type CompletionTree, renderCompletion, shells } from '../src/output/completion.js';
import { type CommandName, catalog } from './catalog.js';
import type { Command, Context } from './options/command.js';
import { sharedOptions } from './options/shared-options.js';
import { findLiveNames } from './support/live-names.js';

export const command: Command = {
  usage: 'completion <shell> [words...]',
  writes: 'nothing',
  examples: [
    { line: 'source <(evstore completion bash)', purpose: 'add this line to ~/.bashrc' },
    { line: 'source <(evstore completion zsh)', purpose: 'add this line to ~/.zshrc, after compinit' },
    { line: 'evstore completion fish > ~/.config/fish/completions/evstore.fish', purpose: 'run this once' },
  ],
  options: [],
  run: async ([name, ...words], _flags, context) => {
    // The scripts ask for the names in the store: `completion names -- read Ord`.
    if (name === 'names') return printNames(words, context);
    const shell = shells.find((each) => each === name);
    if (shell === undefined) {
      throw new EvstoreError('E_USAGE', `no completion for '${name}'`, {
        why: `Supported shells: ${shells.join(', ')}.`,
      });
    }
    const script = renderCompletion(shell, (await context.loadCommands()).map(describe));
    await context.io.stdout.write(Buffer.from(script));
    return 0;
  },
};

/** In milliseconds; a shell waits for it. */
const patienceMs = 200;

/** Silent whatever happens: the line that is being typed is on the terminal. */
async function printNames(words: readonly string[], { io }: Context): Promise<number> {
  const late = new Promise<readonly string[]>((resolve) => setTimeout(resolve, patienceMs, []).unref());
  const names = await Promise.race([late, findLiveNames(words, io, patienceMs)]).catch(() => []);
  await io.stdout.write(names.map((name) => `${name}\n`).join(''));
  return 0;
}

function describe(each: Command): CompletionTree {
  const options = each.run === undefined ? each.options : [...each.options, ...sharedOptions(each)];
  const name = each.usage.split(' ')[0] ?? '';
  return {
    name,
    summary: each.summary ?? catalog[name as CommandName].summary,
    flags: options.flatMap(({ long, description }) => (long ? [{ name: long, summary: description }] : [])),
    children: (each.subcommands ?? []).map(describe),
  };
}

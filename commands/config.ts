/** `evstore config`: shows the settings and where they come from. */
import { findConfig } from '../src/config/find-config.js';
import { listSources, type SettingSource } from '../src/config/sources.js';
import { EvstoreError } from '../src/domain/errors.js';
import { renderReport } from '../src/output/json-line.js';
import { redactUrl } from '../src/store/redact-url.js';
import type { Command, Context } from './options/command.js';
import { option } from './options/option.js';
import type { SharedFlags } from './options/shared-options.js';
import { printList } from './support/print-list.js';

const show: Command = {
  usage: 'show',
  summary: 'show the settings and where each comes from',
  writes: 'nothing',
  examples: [
    { line: 'evstore config show', purpose: 'show the store, its schema and the named stores' },
    { line: 'evstore config show --sources', purpose: 'also show what is set elsewhere and does not win' },
  ],
  options: [option('--sources', 'list every source of each setting, the strongest first')],
  run: async (_args, flags, context) => {
    const config = await context.config();
    const choice = await context.storeChoice();
    const { store, schema } = flags as SharedFlags;
    const facts = { flags: { store, schema }, env: context.io.env, fromDotenv: context.fromDotenv, config, choice };
    const found = listSources(facts);
    const settings = flags.sources === true ? found : found.filter(({ wins }) => wins);
    const stores = Object.entries(config.stores ?? {}).map(([name, each]) => ({
      name,
      url: redactUrl(each.url),
      schema: each.schema ?? null,
      protected: each.protected === true,
    }));
    const report = {
      file: config.file ?? null,
      store: { url: redactUrl(choice.url), name: choice.name ?? null, protected: choice.isProtected === true },
      settings,
      stores,
    };
    await printList(
      context,
      settings,
      [
        { heading: 'setting', field: ({ setting }: SettingSource) => setting },
        { heading: 'value', field: ({ value }) => value },
        { heading: 'source', field: ({ source }) => source, rank: 'high' },
        { heading: 'wins', field: ({ wins }) => wins, text: ({ wins }) => (wins ? 'wins' : '') },
      ],
      { report, nothing: 'nothing is set' },
    );
    await context.note(config.file === undefined ? 'there is no config file' : `config file: ${config.file}`);
    for (const each of stores) {
      await context.note(`store ${each.name}: ${each.url}${each.protected ? ', protected' : ''}`);
    }
    return 0;
  },
};

const path: Command = {
  usage: 'path',
  summary: 'print the path of the config file',
  writes: 'nothing',
  examples: [{ line: 'cat "$(evstore config path)"', purpose: 'print the config file that applies here' }],
  options: [],
  run: async (_args, flags, context) => {
    const file = findFile(flags as SharedFlags, context);
    await context.io.stdout.write(context.asJson ? renderReport({ file }) : `${file}\n`);
    return 0;
  },
};

export const command: Command = {
  usage: 'config',
  writes: 'nothing',
  examples: [
    { line: 'evstore config show --sources', purpose: 'show what is set, where, and which value wins' },
    { line: 'evstore config path', purpose: 'print the path of the config file' },
  ],
  options: [],
  subcommands: [show, path],
  defaultSubcommand: 'show',
};

/** Runs no code: the file may be what is wrong. */
function findFile({ config }: SharedFlags, { io }: Context): string {
  const file = findConfig(io.cwd, config);
  if (file !== undefined) return file;
  throw new EvstoreError('E_NOT_FOUND', 'there is no config file', {
    why: `Looked in ${io.cwd} and the folders above it, up to the root of the repository.`,
    next: 'evstore init',
  });
}

/** `evstore version`: the same as --version. */
import { renderReport } from '../src/output/json-line.js';
import { readVersion } from '../src/terminal/version.js';
import type { Command } from './options/command.js';

export const command: Command = {
  usage: 'version',
  writes: 'nothing',
  examples: [{ line: 'evstore version --json', purpose: 'print the version as JSON' }],
  options: [],
  run: async (_args, _flags, context) => {
    const version = readVersion();
    await context.io.stdout.write(context.asJson ? renderReport({ version }) : `${version}\n`);
    return 0;
  },
};

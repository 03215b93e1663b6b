/** `evstore init`: from nothing to a store that takes events. Running it again changes nothing. */

import { writeConfigFile } from '../src/config/write-config.js';
import { renderReport } from '../src/output/json-line.js';
import { printRoles, printSchema } from '../src/store/open.js';
import type { Command, Context, Flags } from './options/command.js';
import { option } from './options/option.js';
import { dryRunOption } from './options/shared-options.js';
import { readSchemaStatus } from './support/schema-report.js';

interface InitReport {
  readonly store: string;
  /** Version of the schema afterwards. */
  readonly schemaVersion: number;
  /** Names of the migrations that were, or would be, applied. */
  readonly applied: readonly string[];
  readonly config: { readonly file: string; readonly created: boolean } | null;
  readonly dryRun: boolean;
}

export const command: Command = {
  usage: 'init',
  writes: 'evstore.config.json in this folder if there is no config, and the tables',
  examples: [
    { line: 'evstore init', purpose: 'create a SQLite store in ./evstore.db' },
    {
      line: 'evstore init --store postgres://app@localhost/shop',
      purpose: 'create the tables in schema public of a database',
    },
    {
      line: 'evstore init --print-sql --store postgres:',
      purpose: 'print the statements, to be run by an administrator',
    },
    {
      line: 'evstore init --roles | psql shop',
      purpose: 'create roles with the least privileges: owner, app, runner, reader',
    },
  ],
  options: [
    option('--print-sql', 'print the statements, without connecting to the store'),
    option('--roles [prefix]', 'print roles and grants for Postgres, without connecting (default prefix: evstore)'),
    option('--no-config', 'do not create a config file'),
    dryRunOption(),
  ],
  run: async (_args, flags, context) => {
    if (flags.printSql === true) {
      const { url, schema } = await context.storeChoice();
      await context.io.stdout.write(Buffer.from(await printSchema(url, schema === undefined ? {} : { schema })));
      return 0;
    }
    if (flags.roles !== undefined) {
      const { url, schema, origin } = await context.storeChoice();
      const prefix = flags.roles === true ? 'evstore' : String(flags.roles);
      await context.io.stdout.write(
        Buffer.from(await printRoles(origin === '--store' ? url : 'postgres:', { schema, prefix })),
      );
      return 0;
    }
    const report = await initialise(flags, context);
    const asJson = context.asJson;
    if (asJson || !context.quiet) await context.io.stdout.write(asJson ? renderReport(report) : describe(report));
    return 0;
  },
};

async function initialise(flags: Flags, context: Context): Promise<InitReport> {
  const dryRun = flags.dryRun === true;
  const choice = await context.storeChoice();
  const { location, status } = await readSchemaStatus(context, { create: !dryRun });
  // Of several at once, the one that got the lock applied them: the others found them pending and then done.
  const applied = dryRun
    ? status.migrations.filter(({ state }) => state === 'pending')
    : await (await context.openStore()).schema.migrate();
  const wantsConfig = flags.config !== false;
  const named = typeof flags.config === 'string' ? flags.config : undefined;
  return {
    store: location,
    schemaVersion: dryRun ? status.version : status.latest,
    applied: applied.map(({ name }) => name),
    config: wantsConfig ? await writeConfigFile({ cwd: context.io.cwd, named, choice, dryRun }) : null,
    dryRun,
  };
}

function describe({ store, schemaVersion, applied, config, dryRun }: InitReport): string {
  const schema =
    applied.length === 0
      ? `${store}: the schema is at version ${schemaVersion}, nothing to do`
      : `${store}: ${applied.length} migrations ${dryRun ? 'would be applied' : `applied, now at version ${schemaVersion}`}`;
  if (config === null) return `${schema}\n`;
  const made = dryRun ? 'would be written' : 'written';
  return `${schema}\n${config.file}: ${config.created ? made : 'there already, left as it is'}\n`;
}

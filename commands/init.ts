/** `evstore init`: from nothing to a store that takes events. Running it again changes nothing. */

import { writeConfigFile } from '../src/config/write-config.js';
import { count } from '../src/domain/words.js';
import { renderReport } from '../src/output/json-line.js';
import { printRoles, printSchema } from '../src/store/open.js';
import { idIndexNames } from '../src/store/shared/id-indexes.js';
import type { Command, Context, Flags } from './options/command.js';
import { option } from './options/option.js';
import { oneOf } from './options/parse-option.js';
import { dryRunOption } from './options/shared-options.js';
import { readSchemaStatus } from './support/schema-report.js';
import { describeCost } from './support/search.js';

interface InitReport {
  readonly store: string;
  /** Version of the schema afterwards. */
  readonly schemaVersion: number;
  /** Names of the migrations that were, or would be, applied. */
  readonly applied: readonly string[];
  /** Of the indexes asked for: those that were, or would be, made. */
  readonly indexes: readonly string[];
  readonly config: { readonly file: string; readonly created: boolean } | null;
  readonly dryRun: boolean;
}

export const command: Command = {
  usage: 'init',
  writes: 'evstore.config.json in this folder if there is no config, the tables, and indexes that are asked for',
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
      line: 'evstore init --index correlation',
      purpose: 'make indexes on correlation and causation ids; on Postgres writers continue meanwhile',
    },
    {
      line: 'evstore init --roles | psql shop',
      purpose: 'create roles with the least privileges: owner, app, runner, reader',
    },
  ],
  options: [
    option('--print-sql', 'print the statements, without connecting to the store'),
    option('--roles [prefix]', 'print roles and grants for Postgres, without connecting (default prefix: evstore)'),
    option(
      '--index <name>',
      'also make the indexes that read --correlation-id, trace and show use: correlation',
      oneOf('correlation'),
    ),
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
  const indexes = flags.index === undefined ? [] : await makeIndexes(context, dryRun);
  const wantsConfig = flags.config !== false;
  const named = typeof flags.config === 'string' ? flags.config : undefined;
  return {
    store: location,
    schemaVersion: dryRun ? status.version : status.latest,
    applied: applied.map(({ name }) => name),
    indexes,
    config: wantsConfig ? await writeConfigFile({ cwd: context.io.cwd, named, choice, dryRun }) : null,
    dryRun,
  };
}

/** Begins with what it costs, because it may take long. */
async function makeIndexes(context: Context, dryRun: boolean): Promise<readonly string[]> {
  const { status } = await readSchemaStatus(context, { create: !dryRun });
  if (status.version === 0) return Object.values(idIndexNames);
  const { engine, log, schema } = await context.openStore();
  const missing = (await schema.idIndexes()).filter(({ state }) => state !== 'ready');
  if (missing.length === 0) return [];
  const { head } = await log.head();
  const others = engine === 'sqlite' ? 'other writers wait meanwhile' : 'writers continue meanwhile';
  if (head > 0) await context.note(`indexes of ${count(head, 'event')} take about ${describeCost(head)}; ${others}`);
  if (dryRun) return missing.map(({ name }) => name);
  const progress = await context.progress('index');
  return schema
    .createIdIndexes({
      progress: (step, done, total) => progress.update(done, { step, total }),
      signal: context.io.signal,
    })
    .finally(() => progress.stop());
}

function describe(report: InitReport): string {
  const { indexes, dryRun } = report;
  const made = indexes.map((name) => `index ${name}: ${dryRun ? 'would be made' : 'made'}\n`).join('');
  return describeSchema(report) + made;
}

function describeSchema({ store, schemaVersion, applied, config, dryRun }: InitReport): string {
  const schema =
    applied.length === 0
      ? `${store}: the schema is at version ${schemaVersion}, nothing to do`
      : `${store}: ${applied.length} migrations ${dryRun ? 'would be applied' : `applied, now at version ${schemaVersion}`}`;
  if (config === null) return `${schema}\n`;
  const made = dryRun ? 'would be written' : 'written';
  return `${schema}\n${config.file}: ${config.created ? made : 'there already, left as it is'}\n`;
}

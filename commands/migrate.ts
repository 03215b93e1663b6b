/** `evstore migrate`: the versions of the schema. */

import { EvstoreError } from '../src/domain/errors.js';
import { renderReport } from '../src/output/json-line.js';
import { showTime } from '../src/output/relative-time.js';
import { printSchema } from '../src/store/open.js';
import type { MigrationStatus } from '../src/store/store.js';
import type { Command, Context, Flags } from './options/command.js';
import { option } from './options/option.js';
import { duration } from './options/parse-option.js';
import { dryRunOption, timesOption } from './options/shared-options.js';
import { printList } from './support/print-list.js';
import { readSchemaStatus } from './support/schema-report.js';

const up: Command = {
  usage: 'up',
  summary: 'apply pending migrations',
  writes: 'the tables of the store, in one transaction under a lock',
  examples: [
    { line: 'evstore migrate up --dry-run', purpose: 'show which would be applied' },
    { line: 'evstore migrate up', purpose: 'apply them; running it again changes nothing' },
  ],
  options: [
    option('--lock-timeout <duration>', 'how long to wait for another migration (default: 30s)', duration),
    dryRunOption(),
  ],
  run: async (_args, flags, context) => {
    const report = await applyPending(flags, context);
    const asJson = context.asJson;
    if (asJson || !context.quiet) await context.io.stdout.write(asJson ? renderReport(report) : describe(report));
    return 0;
  },
};

const status: Command = {
  usage: 'status',
  summary: 'list migrations and their state',
  writes: 'nothing',
  examples: [{ line: 'evstore migrate status', purpose: 'show which migrations are applied, pending or drifted' }],
  options: [timesOption()],
  run: async (_args, _flags, context) => {
    const report = (await readSchemaStatus(context, { create: false })).status;
    await printStatus(context, report.migrations, report);
    return 0;
  },
};

const assert: Command = {
  usage: 'assert',
  summary: 'exit 1 if a migration is pending, drifted or unknown',
  writes: 'nothing',
  examples: [{ line: 'evstore migrate assert -q', purpose: 'check before a deployment' }],
  options: [],
  run: async (_args, _flags, context) => {
    const { migrations } = (await readSchemaStatus(context, { create: false })).status;
    const wrong = migrations.filter(({ state }) => state !== 'applied');
    if (wrong.length === 0) {
      await context.note('every migration is applied');
      return 0;
    }
    throw new EvstoreError(
      'E_CHECK_FAILED',
      `${wrong.length} of ${migrations.length} migrations are not as they should be`,
      {
        why: `${wrong.map(({ name, state }) => `${name}: ${state}`).join(', ')}.`,
        next: wrong.every(({ state }) => state === 'pending') ? 'evstore migrate up' : 'evstore migrate status',
        details: { migrations: wrong },
      },
    );
  },
};

const sql: Command = {
  usage: 'sql',
  summary: 'print the statements of the whole schema',
  writes: 'nothing; does not connect to the store',
  examples: [
    {
      line: 'evstore migrate sql --store postgres: > schema.sql',
      purpose: 'write statements to be run by an administrator',
    },
  ],
  options: [],
  run: async (_args, _flags, context) => {
    const { url, schema } = await context.storeChoice();
    await context.io.stdout.write(Buffer.from(await printSchema(url, schema === undefined ? {} : { schema })));
    return 0;
  },
};

export const command: Command = {
  usage: 'migrate',
  writes: 'the tables of the store (up); the other subcommands write nothing',
  examples: [
    { line: 'evstore migrate', purpose: 'run evstore migrate up' },
    { line: 'evstore migrate assert', purpose: 'exit 1 unless every migration is applied' },
  ],
  options: [],
  subcommands: [up, status, assert, sql],
  defaultSubcommand: 'up',
};

interface UpReport {
  readonly store: string;
  readonly from: number;
  readonly to: number;
  readonly applied: readonly string[];
  readonly dryRun: boolean;
}

async function applyPending(flags: Flags, context: Context): Promise<UpReport> {
  const dryRun = flags.dryRun === true;
  const { location, status: before } = await readSchemaStatus(context, { create: !dryRun });
  const { lockTimeout } = flags as { lockTimeout?: number };
  const applied = dryRun
    ? before.migrations.filter(({ state }) => state === 'pending')
    : await (await context.openStore()).schema.migrate(lockTimeout === undefined ? {} : { lockTimeoutMs: lockTimeout });
  return {
    store: location,
    from: before.version,
    to: Math.max(before.version, before.latest),
    applied: applied.map(({ name }) => name),
    dryRun,
  };
}

function describe({ store, from, to, applied, dryRun }: UpReport): string {
  if (applied.length === 0) return `${store}: at version ${to}, nothing to do\n`;
  const done = dryRun ? 'would be applied' : 'applied';
  return `${store}: from version ${from} to ${to}, ${done}: ${applied.join(', ')}\n`;
}

async function printStatus(context: Context, migrations: readonly MigrationStatus[], report: unknown): Promise<void> {
  const { view } = context;
  const { theme } = view;
  const paint = (text: string, { state }: MigrationStatus) =>
    state === 'applied' ? theme.good(text) : state === 'pending' ? theme.caution(text) : theme.bad(text);
  await printList(
    context,
    migrations,
    [
      { heading: 'version', field: (row) => row.version, align: 'right' },
      { heading: 'name', field: (row) => row.name },
      { heading: 'state', field: (row) => row.state, paint },
      {
        heading: 'appliedAt',
        title: 'applied',
        field: (row) => row.appliedAt,
        text: (row) => (row.appliedAt === null ? '-' : showTime(row.appliedAt, view, 'relative')),
        paint: theme.faint,
      },
    ],
    { report, nothing: 'no migrations' },
  );
}

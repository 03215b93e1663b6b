/** `evstore demo`: runs the main job in a new folder, and shows each command with its output. */

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import type { Config } from '../src/config/config.js';
import { EvstoreError } from '../src/domain/errors.js';
import { shellWord } from '../src/domain/shell-word.js';
import { renderReport } from '../src/output/json-line.js';
import { makeShopEvents } from '../src/scaffold/sample-shop.js';
import type { Command, Context, Flags } from './options/command.js';
import { option } from './options/option.js';
import { dryRunOption } from './options/shared-options.js';
import { demoSteps, tryNext } from './support/demo-script.js';

const orders = 800;

export const command: Command = {
  usage: 'demo',
  writes: 'a new folder with a SQLite store of sample events, a projection and a saga',
  examples: [
    { line: 'evstore demo', purpose: 'run in ./evstore-demo' },
    { line: 'evstore demo --dir /tmp/shop', purpose: 'run in another folder, which must be new or empty' },
  ],
  options: [
    option('--dir <folder>', 'a new or empty folder (default: evstore-demo)'),
    option('--store <url>', 'an empty store (default: sqlite:./shop.db in the folder)'),
    dryRunOption(),
  ],
  run: async (_args, flags, context) => {
    const folder = resolve(context.io.cwd, typeof flags.dir === 'string' ? flags.dir : 'evstore-demo');
    assertEmpty(folder);
    if (flags.dryRun === true) return sayPlan(folder, context);
    const store = await chooseStore(flags, context);
    prepareFolder(folder, typeof flags.schema === 'string' ? { store, schema: flags.schema } : { store });
    const shown = shownPath(context.io.cwd, folder);
    const asJson = context.asJson;
    const say = async (line: string) => (asJson ? undefined : context.io.stdout.write(`${line}\n`));
    await say(`A shop with ${orders} orders in ${shown}`);
    const commands: string[] = [];
    for (const step of demoSteps) {
      if (context.io.signal.aborted) return 0;
      await say(step.purpose);
      for (const { line, show } of step.lines) {
        commands.push(line);
        await say(context.theme.stdout.strong(`  $ ${line}`));
        for (const printed of (await runLine(line, folder, context)).slice(0, show)) await say(`    ${printed}`);
      }
    }
    const next = [`cd ${shellWord(shown)}`, ...tryNext.map((line) => asTyped(line, store, context))];
    if (asJson) await context.io.stdout.write(renderReport({ folder, commands, next, dryRun: false }));
    await say('Try next:');
    for (const line of next) await say(`  ${line}`);
    return 0;
  },
};

async function sayPlan(folder: string, context: Context): Promise<number> {
  const commands = demoSteps.flatMap(({ lines }) => lines.map(({ line }) => line));
  const shown = shownPath(context.io.cwd, folder);
  const asJson = context.asJson;
  const text = [
    `Would create ${shown} and run these commands in it:`,
    ...commands.map((line) => `  $ ${line}`),
    '',
  ].join('\n');
  await context.io.stdout.write(asJson ? renderReport({ folder, commands, dryRun: true }) : text);
  return 0;
}

/** @throws E_USAGE */
function assertEmpty(folder: string): void {
  let held: readonly string[];
  try {
    held = readdirSync(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    throw new EvstoreError('E_USAGE', `${folder} is not a folder`, {
      next: 'evstore demo --dir NEW-FOLDER',
      cause: error,
    });
  }
  if (held.length === 0) return;
  throw new EvstoreError('E_USAGE', `${folder} is not empty`, {
    why: 'The demo only writes to a new or empty folder.',
    next: 'evstore demo --dir NEW-FOLDER',
  });
}

/** Returns the store to fill; it must not contain events. @throws E_USAGE */
async function chooseStore(flags: Flags, context: Context): Promise<string> {
  if (typeof flags.store !== 'string') return 'sqlite:./shop.db';
  const { url } = await context.storeChoice();
  if (/^postgres(ql)?:\/\/[^/@]*:[^/@]*@/i.test(url)) {
    throw new EvstoreError('E_USAGE', 'the demo would write the password into its config file', {
      why: 'Set the password in PGPASSWORD or ~/.pgpass instead.',
    });
  }
  const store = await context.openStore({ create: true });
  const { version } = await store.schema.status();
  const head = version === 0 ? 0 : (await store.log.head()).head;
  if (head === 0) return url.startsWith('sqlite:') ? `sqlite:${resolve(context.io.cwd, url.slice(7))}` : url;
  throw new EvstoreError('E_USAGE', `${store.location} already contains events`, {
    why: 'The demo imports sample events, so it needs an empty store.',
    next: 'evstore demo',
  });
}

/** The config is JSON: it names the store and runs nothing. */
function prepareFolder(folder: string, config: Config): void {
  const lines = makeShopEvents(orders).map((event) => `${JSON.stringify(event)}\n`);
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'evstore.config.json'), `${JSON.stringify(config, null, 2)}\n`, { flag: 'wx' });
    writeFileSync(join(folder, 'shop.ndjson'), lines.join(''), { flag: 'wx' });
  } catch (error) {
    throw new EvstoreError('E_OUTPUT', `cannot write to ${folder}`, {
      why: error instanceof Error ? `${error.message}.` : undefined,
      cause: error,
    });
  }
}

async function runLine(line: string, folder: string, context: Context): Promise<readonly string[]> {
  const { code, stdout, stderr } = await context.runLine(folder, line);
  if (code !== 0 && !context.io.signal.aborted) {
    throw new EvstoreError('E_BUG', `${line} ended with exit code ${code}`, { why: stderr.trim() });
  }
  return stdout.replaceAll(`${folder}/`, './').trimEnd().split('\n');
}

/** After `npx evstore demo` there is no `evstore` on the path; and EVSTORE_URL would override the folder's config. */
function asTyped(line: string, store: string, { io }: Context): string {
  const whole = io.env.EVSTORE_URL ? `${line} --store ${shellWord(store)}` : line;
  return io.env.npm_command === 'exec' ? `npx ${whole}` : whole;
}

function shownPath(cwd: string, folder: string): string {
  const below = relative(cwd, folder);
  return below === '' || below.startsWith('..') || isAbsolute(below) ? folder : below;
}

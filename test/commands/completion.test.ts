/** Completion with the names in a store. */
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { catalog } from '../../commands/catalog.js';
import { loaders } from '../../commands/program/loaders.js';
import { argumentKinds } from '../../commands/support/live-names.js';
import { makeFolder, runCli } from '../support/cli.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { append, makeEvent, makeEvents } from '../support/events.js';
import { registration } from '../support/read-models.js';

forEachEngine((engine) => {
  test('names of the store are completed where they belong', () =>
    withTestStore(engine, async ({ store, url, raw }) => {
      await append(store, 'Order-1', [makeEvent({ type: 'OrderPlaced' }), makeEvent({ type: 'OrderPaid' })]);
      await append(store, 'Order-2');
      await append(store, 'Customer-1');
      await store.projections.register(registration);
      await raw.query("insert into subscription_checkpoints (subscription_id) values ('mailer'), ('saga:mails')");
      await raw.query(
        `insert into evstore_parked (projection, global_position, event_id, stream_id, event_type, state)
         values ('${registration.name}', 2, '00000000-0000-4000-8000-000000000000', 'Order-1', 'A', 'parked')`,
      );
      const cwd = makeFolder();
      const complete = async (...words: string[]) => {
        const ran = await runCli(['completion', 'names', '--', ...words], { cwd, env: { EVSTORE_URL: url } });
        expect(ran).toMatchObject({ code: 0, stderr: '' });
        return ran.stdout.split('\n').filter(Boolean).sort();
      };
      expect(await complete('read', 'Ord')).toEqual(['Order-1', 'Order-2']);
      expect(await complete('append', '--json', '')).toEqual(['Customer-1', 'Order-1', 'Order-2']);
      expect(await complete('read', '--type', 'OrderP')).toEqual(['OrderPaid', 'OrderPlaced']);
      expect(await complete('rebuild', '')).toEqual([registration.name]);
      expect(await complete('checkpoints', 'set', 'm')).toEqual(['mailer']);
      expect(await complete('parked', 'show', registration.name, '')).toEqual(['2']);
      expect(await complete('saga', 'show', '')).toEqual(['mails']);
      expect(await complete('read', '--limit', '')).toEqual([]);
      expect(await complete('scaffold', 'projection', '')).toEqual([]);
      expect(await complete('')).toEqual([]);
    }));

  test('names that a shell or a terminal would take for something else are left out', () =>
    withTestStore(engine, async ({ store, url }) => {
      const hostile = ['$(touch x)', '`id`', "it's", 'a b', '\u001b[31mred', '-rf', '~x', 'a;b', 'a\u202eb', 'a*'];
      for (const name of [...hostile, 'zażółć-1', 'fine-1']) await append(store, name, makeEvents(1));
      const ran = await runCli(['completion', 'names', '--', 'read', ''], {
        cwd: makeFolder(),
        env: { EVSTORE_URL: url },
      });
      expect(ran.stdout.split('\n').filter(Boolean).sort()).toEqual(['fine-1', 'zażółć-1']);
    }));
});

test('completion is silent without a store, and runs no config', async () => {
  const cwd = makeFolder();
  const complete = (...words: string[]) => runCli(['completion', 'names', '--', 'read', ...words], { cwd });
  const silent = { code: 0, stdout: '', stderr: '' };
  expect(await complete('')).toEqual(silent);
  expect(await complete('--store', 'postgres://u:p@127.0.0.1:1/x', '')).toEqual(silent);
  expect(await complete('--store', 'nonsense', '')).toEqual(silent);
  writeFileSync(join(cwd, 'evstore.config.mjs'), "import { writeFileSync } from 'node:fs'; writeFileSync('ran', '');");
  expect(await complete('')).toEqual(silent);
  expect(existsSync(join(cwd, 'ran'))).toBe(false);
});

test('each command that takes names from a store completes them', async () => {
  const words = /[<[](streams?|name|old|saga|instance|event)(\.\.\.)?[>\]]/;
  const named: string[] = [];
  for (const name of Object.keys(catalog) as (keyof typeof catalog)[]) {
    if (name === 'scaffold') continue;
    const { command } = await loaders[name]();
    if (words.test(command.usage)) named.push(name);
    // An aggregate has a name in the code only.
    for (const { usage } of command.subcommands ?? [])
      if (words.test(usage) && !usage.startsWith('create <name>')) named.push(`${name} ${usage.split(' ')[0]}`);
  }
  expect(Object.keys(argumentKinds).sort()).toEqual(named.sort());
});

test('the script for bash is understood by bash', async () => {
  const { stdout } = await runCli(['completion', 'bash']);
  expect(execFileSync('bash', ['-n'], { input: stdout, encoding: 'utf8' })).toBe('');
});

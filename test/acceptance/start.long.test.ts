/** What the packed program loads: starting takes as long as that, so it is what the command needs and no more. */
import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import nodeModule from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestStore, forEachEngine } from '../support/engines.js';
import { makeEvent } from '../support/events.js';
import { allowMoreTime } from '../support/more-time.js';
import { type PackedPackage, packPackage } from '../support/package.js';

allowMoreTime('the package is packed, installed and run by a shell');

/** Not in files of evstore itself, as the driver of Postgres is. */
const foreign = { sqlite: ['better-sqlite3', 'bindings', 'file-uri-to-path'], postgres: [] } as const;

let packed: PackedPackage;

beforeAll(async () => {
  packed = await packPackage();
});
afterAll(() => packed.remove());

interface Loaded {
  /** Files of evstore, from dist/. */
  readonly own: readonly string[];
  readonly packages: readonly string[];
  /** Modules of Node itself, its inner ones too. */
  readonly builtins: readonly string[];
}

/** Runs it, with an eye on everything that is imported or required. */
async function load(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Loaded> {
  const folder = mkdtempSync(join(packed.folder, 'loaded-'));
  const [list, builtins] = [join(folder, 'files'), join(folder, 'builtins')];
  const hooks = `import { appendFileSync } from 'node:fs';
    export function load(url, context, next) {
      appendFileSync(${JSON.stringify(list)}, url + '\\n');
      return next(url, context);
    }`;
  const preload = join(folder, 'preload.cjs');
  writeFileSync(
    preload,
    `const { appendFileSync, writeFileSync } = require('node:fs');
     require('node:module').register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`)});
     process.on('exit', () => {
       appendFileSync(${JSON.stringify(list)}, Object.keys(require.cache).join('\\n'));
       writeFileSync(${JSON.stringify(builtins)}, process.moduleLoadList.join('\\n'));
     });`,
  );
  const result = await packed.evstore(args, { env: { ...env, NODE_OPTIONS: `--require ${preload}` } });
  expect(result, result.stderr).toMatchObject({ code: 0 });
  const files = readFileSync(list, 'utf8');
  return {
    own: unique(files, /(?<=\/evstore\/dist\/).*/g),
    packages: unique(files, /(?<=\/node_modules\/)(?!evstore\/)(?:@[^/]+\/)?[^/\n]+/g),
    builtins: readFileSync(builtins, 'utf8').split('\n'),
  };
}

function unique(text: string, pattern: RegExp): string[] {
  return [...new Set(text.match(pattern) ?? [])].sort();
}

test('--version loads no package and next to nothing else', async () => {
  const { own, packages } = await load(['--version']);
  expect(packages).toEqual([]);
  expect(own).toEqual(['bin/evstore.js', 'chunks/rolldown-runtime.cjs', 'chunks/start.cjs']);
});

test('--help loads no driver', async () => {
  const { own, packages } = await load(['--help']);
  expect(packages).toEqual([]);
  expect(own).not.toContain('chunks/sqlite.cjs');
  expect(own).not.toContain('chunks/postgres.cjs');
});

test('the licence of each package whose code is in it comes with it', () => {
  const text = readFileSync(join(packed.folder, 'node_modules/evstore/dist/LICENCES.txt'), 'utf8');
  for (const name of ['commander', 'pg', 'pg-pool', 'pg-protocol', 'pg-types', 'split2']) {
    expect(text).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(`, 'm'));
  }
});

test.runIf('enableCompileCache' in nodeModule)('what was compiled is kept for this user alone', async () => {
  const cache = join(packed.folder, 'cache');
  expect(await packed.evstore(['--help'], { env: { XDG_CACHE_HOME: cache } })).toMatchObject({ code: 0 });
  const kept = join(cache, 'evstore/compiled');
  expect(statSync(kept).mode & 0o077).toBe(0);
  expect(readdirSync(kept)).toHaveLength(1);
});

forEachEngine((engine) => {
  const other = engine === 'sqlite' ? 'postgres' : 'sqlite';

  test('read loads few files, and what is listed in a pipe one driver', async () => {
    const { store, url, cleanup } = await createTestStore(engine);
    try {
      await store.log.append('Order-1', [makeEvent()], 'any');
      const { own, packages, builtins } = await load(['read'], { EVSTORE_URL: url });
      expect(own).toEqual(
        [
          'bin/evstore.js',
          ...['domain', 'meant', 'note-scan', 'program', 'read', 'rolldown-runtime', 'start', engine].map(
            (name) => `chunks/${name}.cjs`,
          ),
        ].sort(),
      );
      expect(packages).toEqual(foreign[engine]);
      for (const command of ['checkpoints', 'lag', 'streams']) {
        const { own, packages } = await load([command], { EVSTORE_URL: url });
        expect(packages, command).toEqual(foreign[engine]);
        expect(own, command).not.toContain(`chunks/${other}.cjs`);
      }
      // What fetch is made of takes nearly as long to load as the driver of Postgres.
      expect(builtins.filter((name) => name.includes('undici'))).toEqual([]);
    } finally {
      await cleanup();
    }
  });
});

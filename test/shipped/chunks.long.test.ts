/** Each file of the packed program can be loaded, and with it each package that it needs. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { installOnce } from '../support/package.js';

/** They are the beginning of a thread: without one they fail. */
const threads = ['fold-worker.cjs', 'import-worker.cjs'];

/** Loads the chunks, and says of each package they name whether `require` made it of an ES module. */
const loader = `
  const { readFileSync } = require('node:fs');
  const { isBuiltin } = require('node:module');
  const { isModuleNamespaceObject } = require('node:util').types;
  (async () => {
    const packages = {};
    for (const file of process.argv.slice(1)) {
      require(file);
      for (const [, how, id] of readFileSync(file, 'utf8').matchAll(/\\b(require|import)\\("([^."][^"]*)"\\)/g)) {
        if (isBuiltin(id) || /^pg-(native|cloudflare)$/.test(id)) continue;
        const loaded = how === 'require' ? require(require.resolve(id, { paths: [file] })) : await import(id);
        packages[id] = how === 'require' && isModuleNamespaceObject(loaded) ? 'ES module by require' : 'ok';
      }
    }
    console.log(JSON.stringify(packages));
    process.exit();
  })();`;

test('every chunk is loaded, and none requires a package that is ES modules only', async () => {
  const folder = join(await installOnce(), 'node_modules/evstore/dist/chunks');
  const chunks = readdirSync(folder).filter((name) => !threads.includes(name));
  expect(chunks.length).toBeGreaterThan(20);
  const files = chunks.map((name) => join(folder, name));
  const loaded = execFileSync(process.execPath, ['-e', loader, ...files], { encoding: 'utf8', cwd: folder });
  const packages = JSON.parse(loaded.split('\n').at(-2) ?? '');
  expect(packages).toMatchObject({ jiti: 'ok', 'pg-copy-streams': 'ok', 'better-sqlite3': 'ok' });
  expect(Object.keys(packages).filter((name) => packages[name] !== 'ok')).toEqual([]);
});

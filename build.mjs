/**
 * Makes dist/: the program and the library as few CommonJS files, which Node starts faster than many modules, with an
 * ES module in front of each entry, the types beside them, and the .sql files where the modules were that read them.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import { rolldown } from 'rolldown';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';

const root = fileURLToPath(new URL('.', import.meta.url));
const tsc = fileURLToPath(import.meta.resolve('typescript/package.json').replace('package.json', 'bin/tsc'));

/**
 * What is always needed together is one file: a file each for every set of commands that share it would be dozens. What
 * a thread begins with is nobody else's.
 */
const groups = [
  { name: 'start', test: /\/commands\/program\/start\.ts$/, priority: 5 },
  { name: 'domain', test: /\/src\/domain\/|\/src\/store\/(shared\/)?[^/]+\.ts$/, priority: 4 },
  {
    name: 'program',
    test: /\/commands\/(program\/(program|create-context)|support\/event-output|options\/event-range)\.ts$/,
    priority: 3,
  },
  { name: 'sqlite', test: /\/src\/store\/sqlite\/(?!log\/import-worker)/, priority: 2 },
  { name: 'postgres', test: /\/src\/store\/postgres\//, priority: 2 },
  // What a pipe never needs: colour, and the width of text that is not ASCII.
  { name: 'chalk', test: /\/node_modules\/chalk\//, priority: 1 },
  {
    name: 'text-width',
    test: /\/node_modules\/(string-width|get-east-asian-width|strip-ansi|ansi-regex)\//,
    priority: 1,
  },
];

/**
 * Packages whose code becomes part of the program, with what they depend on. Finding the many small files of the first
 * two took two fifths of loading node-postgres. The next are ES modules only: `require` gives their namespace in place
 * of what they export. The last ones parse what is hashed: another release of them could print it differently.
 */
const joined = [
  'commander',
  'pg',
  'chalk',
  'ora',
  'string-width',
  '@sveltejs/acorn-typescript',
  'acorn',
  'eslint-scope',
];

/** What those look for and do without. */
const optional = ['pg-native', 'pg-cloudflare'];

rmSync(`${root}dist`, { recursive: true, force: true });
mkdirSync(`${root}dist/src`, { recursive: true });
await joinDeclarations();
await joinModules();
cpSync(`${root}src/store`, `${root}dist/src/store`, {
  recursive: true,
  filter: (path) => statSync(path).isDirectory() || path.endsWith('.sql'),
});
// The package is one of ES modules; its program is not.
writeFileSync(`${root}dist/bin/package.json`, '{ "type": "commonjs" }\n');
chmodSync(`${root}dist/bin/evstore.js`, 0o755);

/**
 * One declaration file per entry, and its twin for `require`. Those of `evstore/testing` name the types of `evstore`,
 * so that a user never meets one type under two names.
 */
async function joinDeclarations() {
  const folder = `${root}dist/declarations`;
  const emit = ['-p', `${root}tsconfig.json`, '--emitDeclarationOnly', '--outDir', folder];
  execFileSync(process.execPath, [tsc, ...emit], { stdio: 'inherit' });
  const shared = new Set();
  for (const name of ['index', 'testing']) {
    const input = `${folder}/src/${name}.d.ts`;
    const bundle = await rollup({ input, external: (id) => shared.has(id), plugins: [dts()], onwarn: fail });
    const { output } = await bundle.generate({ paths: () => './index.js' });
    for (const id of bundle.watchFiles) shared.add(id);
    const { code } = output[0];
    writeFileSync(`${root}dist/src/${name}.d.ts`, name === 'index' ? shareAugmented(code) : code);
    writeFileSync(`${root}dist/src/${name}.d.cts`, code.replaceAll("'./index.js'", "'./index.cjs'"));
  }
  rmSync(folder, { recursive: true });
}

/**
 * Programs add members to these interfaces. A project may have files of both kinds of module, and one file of types: so
 * the interfaces are declared once, for both.
 */
function shareAugmented(code) {
  const names = ['StoredEvents', 'StoredEventVersions'];
  let shared = code;
  for (const name of names) {
    const declaration = `interface ${name} {\n}\n`;
    if (!shared.includes(declaration)) throw new Error(`the declarations lack an empty interface ${name}`);
    shared = shared.replace(declaration, '');
  }
  return `import type { ${names.join(', ')} } from './index.cjs';\n\n${shared}`;
}

function fail({ message }) {
  throw new Error(message);
}

async function joinModules() {
  const bundle = await rolldown({
    cwd: root,
    platform: 'node',
    input: {
      evstore: 'bin/evstore.ts',
      index: 'src/index.ts',
      testing: 'src/testing.ts',
      'fold-worker': 'src/projection/fold/threads/fold-worker.ts',
      'import-worker': 'src/store/sqlite/log/import-worker.ts',
    },
    external: isForeign,
    plugins: [keepPlaces(), leaveOut()],
  });
  const { output } = await bundle.write({
    dir: `${root}dist`,
    format: 'cjs',
    entryFileNames: ({ name }) => (name === 'evstore' ? 'bin/evstore.js' : `chunks/${name}.cjs`),
    chunkFileNames: 'chunks/[name].cjs',
    codeSplitting: { groups },
  });
  writeLicences(output.flatMap(({ moduleIds = [] }) => moduleIds));
  for (const [name, file] of [
    ['index', 'src/index.js'],
    ['testing', 'src/testing.js'],
    ['fold-worker', 'src/projection/fold/threads/fold-worker.js'],
    ['import-worker', 'src/store/sqlite/log/import-worker.js'],
  ]) {
    const { exports } = output.find(({ fileName }) => fileName === `chunks/${name}.cjs`);
    writeFacade(file, `chunks/${name}.cjs`, exports);
  }
}

/** An ES module with the exports of a chunk. */
function writeFacade(file, chunk, exports) {
  const from = JSON.stringify(relative(dirname(file), chunk).replaceAll('\\', '/'));
  mkdirSync(dirname(`${root}dist/${file}`), { recursive: true });
  const names = exports.length === 0 ? '' : `export const { ${exports.join(', ')} } = chunk;\n`;
  writeFileSync(`${root}dist/${file}`, names === '' ? `import ${from};\n` : `import chunk from ${from};\n\n${names}`);
}

function isForeign(id, importer) {
  if (!/^[^./\0]/.test(id) || isUnused(id, importer)) return false;
  if (isBuiltin(id) || optional.includes(id)) return true;
  if (joined.includes(id) || packageOf(importer) !== undefined) return false;
  assertCanBeRequired(id);
  return true;
}

/** Whether a package that is not joined can be required. Node would say nothing until the program uses it. */
function assertCanBeRequired(id) {
  if (types.isModuleNamespaceObject(createRequire(import.meta.url)(id))) {
    throw new Error(`${id} is ES modules only: add it to the packages that are joined`);
  }
}

/** commander would start programs that are commands of another: there are none. */
function isUnused(id, importer) {
  return id === 'node:child_process' && packageOf(importer)?.endsWith('/commander');
}

/** The folder of the package that a file is of, unless it is of this one. */
function packageOf(path = '') {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path.replaceAll('\\', '/'))?.[0];
}

/** Of the packages whose code is in files of ours. */
function writeLicences(files) {
  const folders = new Set(files.map(packageOf).filter((folder) => folder !== undefined));
  const texts = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
    const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
    return `${name} ${version} (${license})\n\n${file === undefined ? '' : readFileSync(`${folder}/${file}`, 'utf8')}`;
  });
  writeFileSync(`${root}dist/LICENCES.txt`, texts.join(`\n${'-'.repeat(80)}\n\n`));
}

function leaveOut() {
  return {
    name: 'leave-out',
    resolveId: (id, importer) => (isUnused(id, importer) ? '\0nothing' : null),
    load: (id) => (id === '\0nothing' ? 'module.exports = {};' : null),
  };
}

/** A module goes on finding the files that lie beside it, wherever its code went. */
function keepPlaces() {
  const mark = 'place-of:';
  return {
    name: 'keep-places',
    transform(code, id) {
      if (!code.includes('import.meta')) return null;
      const place = relative(root, id).replace(/\.ts$/, '.js');
      return code
        .replaceAll('createRequire(import.meta.url)(', 'require(')
        .replaceAll('import.meta.url', `require('node:url').pathToFileURL(\`\${__dirname}/${mark}${place}\`).href`)
        .replaceAll('import.meta.resolve(', 'require.resolve(');
    },
    renderChunk: (code, { fileName }) => code.replaceAll(mark, `${relative(dirname(fileName), '.')}/`),
  };
}

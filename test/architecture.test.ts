/** Who may know whom, as data. Every import of the product is held against it. */
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');

interface Layer {
  readonly name: string;
  /** Whether a module belongs here; the first layer that says yes has it. */
  readonly holds: RegExp;
  /** Other layers it may import, beside itself. */
  readonly imports: readonly string[];
  /** Packages it may import; a package named nowhere may be imported nowhere. */
  readonly packages?: readonly string[];
  /** Node's own modules: any unless said. */
  readonly builtins?: readonly string[];
}

/** Rooms of a folder, lowest first: each may import those before it, and whatever `below` names. */
function floors(
  folder: string,
  rooms: readonly string[],
  below: readonly string[],
  packages: readonly string[] = [],
): Layer[] {
  return rooms.map((room, index) => ({
    name: `${folder}/${room}`,
    holds: new RegExp(`^src/${folder}/${room}/`),
    imports: [...below, ...rooms.slice(0, index).map((each) => `${folder}/${each}`)],
    packages,
  }));
}

const projectionRooms = [
  'define',
  'external',
  'fold',
  'catch-up',
  'check-handlers',
  'journal',
  'compare',
  'status',
  'swap',
  'parked',
  'run',
  'repair',
  'rebuild',
];
/** Read by `define` only: see `soleImporters`. */
const parsers = ['@sveltejs/acorn-typescript', 'acorn', 'eslint-scope'];
const projection = projectionRooms.map((room) => `projection/${room}`);
const engineRooms = ['connection', 'schema', 'read-models', 'log', 'sagas', 'statistics', 'rebuilds'];

function engine(name: string, packages: readonly string[]): Layer[] {
  const below = ['shared', 'port', 'domain'];
  const rooms = floors(`store/${name}`, engineRooms, below, packages);
  const top = new RegExp(`^src/store/${name}/[^/]+.ts$`);
  return [...rooms, { name: `store/${name}`, holds: top, imports: [...rooms.map((room) => room.name), ...below] }];
}

const layers: readonly Layer[] = [
  { name: 'bin', holds: /^bin\//, imports: ['commands/program'] },
  {
    name: 'commands/program',
    holds: /^commands\/program\//,
    imports: ['commands', 'commands/options', 'output', 'terminal', 'config', 'open', 'port', 'domain'],
    packages: ['commander'],
  },
  {
    name: 'commands/options',
    holds: /^commands\/options\//,
    imports: [...projection, 'output', 'terminal', 'config', 'lease', 'port', 'domain'],
    packages: ['commander'],
  },
  {
    name: 'commands/support',
    holds: /^commands\/support\//,
    imports: [
      ...projection,

      'commands/options',
      'query',
      'inference',
      'verify',
      'findings',
      'aggregate',
      'saga',
      'reaction',
      'scaffold',
      'output',
      'terminal',
      'config',
      'lease',
      'open',
      'port',
      'shared',
      'domain',
    ],
    packages: ['commander'],
  },
  {
    name: 'commands',
    holds: /^commands\/[^/]+\.ts$/,
    imports: [
      ...projection,
      'commands/support',
      'commands/options',
      'bench',
      'query',
      'inference',
      'verify',
      'findings',
      'aggregate',
      'saga',
      'reaction',
      'scaffold',
      'output',
      'terminal',
      'config',
      'lease',
      'open',
      'port',
      'shared',
      'domain',
    ],
    packages: ['commander'],
  },
  // These packages are not installed in this project: see test/temporal.
  {
    name: 'templates/temporal',
    holds: /^templates\/temporal\//,
    imports: [],
    packages: [
      'evstore',
      'vitest',
      ...['activity', 'client', 'common', 'proto', 'testing', 'worker', 'workflow'].map(
        (name) => `@temporalio/${name}`,
      ),
    ],
  },
  {
    name: 'templates',
    holds: /^templates\//,
    imports: [],
    packages: ['evstore', 'evstore/testing', 'vitest', 'better-sqlite3'],
  },
  {
    name: 'public',
    holds: /^src\/[^/]+\.ts$/,
    imports: [...projection, 'library', 'testing', 'aggregate', 'saga', 'reaction', 'config', 'port', 'domain'],
  },
  {
    name: 'library',
    holds: /^src\/library\//,
    imports: [
      ...projection,
      'aggregate',
      'saga',
      'reaction',
      'subscription',
      'query',
      'lease',
      'config',
      'open',
      'port',
      'domain',
    ],
  },
  // A projection of SQL statements can only be tried on SQL: its given/when/then runs on SQLite in memory.
  {
    name: 'testing',
    holds: /^src\/testing\//,
    imports: [
      'projection/define',
      'projection/external',
      'projection/fold',
      'aggregate',
      'saga',
      'reaction',
      'store/sqlite/connection',
      'store/sqlite/read-models',
      'port',
      'domain',
    ],
  },
  {
    name: 'output',
    holds: /^src\/output\//,
    imports: [...projection, 'findings', 'query', 'aggregate', 'saga', 'terminal', 'port', 'domain'],
    packages: ['chalk', 'string-width'],
  },
  {
    name: 'bench',
    holds: /^src\/bench\//,
    imports: ['projection/define', 'projection/rebuild', 'lease', 'port', 'domain'],
  },
  { name: 'inference', holds: /^src\/inference\//, imports: ['port', 'domain'] },
  { name: 'query', holds: /^src\/query\//, imports: [...projection, 'aggregate', 'port', 'domain'] },
  { name: 'verify', holds: /^src\/verify\//, imports: ['findings', 'port', 'domain'] },
  {
    name: 'findings',
    holds: /^src\/findings\//,
    imports: ['projection/status', 'saga', 'port', 'domain'],
  },
  {
    name: 'scaffold',
    holds: /^src\/scaffold\//,
    imports: ['projection/define', 'inference', 'config', 'port', 'domain'],
    packages: ['get-tsconfig'],
  },
  {
    name: 'aggregate',
    holds: /^src\/aggregate\//,
    imports: ['projection/define', 'lease', 'config', 'port', 'domain'],
  },
  {
    name: 'reaction',
    holds: /^src\/reaction\//,
    imports: [
      'projection/define',
      'projection/catch-up',
      'projection/parked',
      'subscription',
      'lease',
      'config',
      'terminal',
      'port',
      'domain',
    ],
  },
  { name: 'subscription', holds: /^src\/subscription\//, imports: ['lease', 'port', 'domain'] },
  {
    name: 'saga',
    holds: /^src\/saga\//,
    imports: ['projection/define', 'subscription', 'lease', 'config', 'port', 'domain'],
  },
  ...floors('projection', projectionRooms, ['lease', 'config', 'terminal', 'shared', 'port', 'domain'], parsers),
  { name: 'lease', holds: /^src\/lease\//, imports: ['port', 'domain'] },
  {
    name: 'config',
    holds: /^src\/config\//,
    imports: ['terminal', 'port', 'domain'],
    packages: ['dotenv', 'dotenv-expand', 'jiti', 'minimatch'],
  },
  { name: 'terminal', holds: /^src\/terminal\//, imports: ['domain'], packages: ['ora', 'string-width'] },
  { name: 'open', holds: /^src\/store\/open\.ts$/, imports: ['port', 'domain', 'store/postgres', 'store/sqlite'] },
  ...engine('postgres', ['pg', 'pg-copy-streams']),
  ...engine('sqlite', ['better-sqlite3']),
  { name: 'shared', holds: /^src\/store\/shared\//, imports: ['port', 'domain'] },
  { name: 'port', holds: /^src\/store\/[^/]+\.ts$/, imports: ['domain'] },
  { name: 'domain', holds: /^src\/domain\//, imports: [], builtins: ['node:crypto'] },
];

/** The only module that knows each of these packages. */
const soleImporters: Readonly<Record<string, RegExp>> = {
  chalk: /^src\/output\/theme\.ts$/,
  ora: /^src\/terminal\/progress\.ts$/,
  acorn: /^src\/projection\/define\/syntax\.ts$/,
  '@sveltejs/acorn-typescript': /^src\/projection\/define\/syntax\.ts$/,
  'eslint-scope': /^src\/projection\/define\/source-module\.ts$/,
};

interface Import {
  readonly from: string;
  readonly to: string;
  readonly isDynamic: boolean;
  /** Gone when it runs. */
  readonly isType?: boolean;
}

function listFiles(folder: string, suffix: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(suffix))
    .map((path) => join(folder, path));
}

const modules = ['bin', 'src', 'commands', 'templates'].flatMap((folder) => listFiles(folder, '.ts'));

function readText(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** Comments gone, so that an import in an example does not count. */
function readCode(path: string): string {
  return readText(path).replace(/^\s*(\/\*[\s\S]*?\*\/|\/\/.*)$/gm, '');
}

/** Static, type-only and dynamic imports, and re-exports. */
function importsOf(from: string): Import[] {
  const code = readCode(from);
  const found = (pattern: RegExp, isDynamic: boolean) =>
    [...code.matchAll(pattern)].map((match) => {
      return { from, to: String(match[1]), isDynamic, isType: /^\s*(import|export)\s+type\b/.test(match[0]) };
    });
  return [
    ...found(/^\s*(?:import|export)\s[^'"`;]*?from\s+['"]([^'"]+)['"]/gm, false),
    ...found(/^\s*import\s+['"]([^'"]+)['"]/gm, false),
    ...found(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g, true),
  ];
}

function layerOf(path: string): Layer {
  const layer = layers.find(({ holds }) => holds.test(path));
  if (layer === undefined) throw new Error(`${path} belongs to no layer`);
  return layer;
}

function refusal({ from, to }: Import): string | undefined {
  const layer = layerOf(from);
  if (to.startsWith('.')) {
    const target = layerOf(targetOf({ from, to, isDynamic: false }));
    const allowed = target.name === layer.name || layer.imports.includes(target.name);
    return allowed ? undefined : `${from} (${layer.name}) imports ${to} (${target.name})`;
  }
  if (to.startsWith('node:') || builtinModules.includes(to)) {
    if (!to.startsWith('node:')) return `${from} imports ${to} without node:`;
    return layer.builtins === undefined || layer.builtins.includes(to) ? undefined : `${from} imports ${to}`;
  }
  return layer.packages?.includes(to) ? undefined : `${from} (${layer.name}) imports the package ${to}`;
}

function targetOf({ from, to }: Import): string {
  return join(dirname(from), to).replace(/\.js$/, '.ts');
}

/** The files of one circle, first and last the same; empty without any. */
function findCircle(all: readonly Import[]): readonly string[] {
  const next = new Map<string, string[]>();
  for (const each of all.filter(({ to }) => to.startsWith('.'))) {
    next.set(each.from, [...(next.get(each.from) ?? []), targetOf(each)]);
  }
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): readonly string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const each of next.get(file) ?? []) {
      const circle = visit(each, [...path, file]);
      if (circle.length > 0) return circle;
    }
    done.add(file);
    return [];
  };
  for (const file of next.keys()) {
    const circle = visit(file, []);
    if (circle.length > 0) return circle;
  }
  return [];
}

/** What is loaded along with a module, whatever it does then: modules of ours, and packages. */
function loadedWith(from: string, found = new Set<string>()): ReadonlySet<string> {
  found.add(from);
  for (const { to, isDynamic, isType } of modules.includes(from) ? importsOf(from) : []) {
    if (isDynamic || isType === true) continue;
    const next = to.startsWith('.') ? join(dirname(from), to).replace(/\.js$/, '.ts') : to;
    if (!found.has(next)) loadedWith(next, found);
  }
  return found;
}

/** What may name a file: plain strings, and templates such as `move-${side}`. */
function namesIn(code: string): RegExp[] {
  const texts = [...code.matchAll(/'([a-z-]+)'|`([a-z-]+(?:\$\{[^}]*\}[a-z-]*)+)`/g)].map(
    (match) => match[1] ?? match[2] ?? '',
  );
  return texts.map((text) => new RegExp(`^${text.replace(/\$\{[^}]*\}/g, '[a-z-]+')}$`));
}

const imports = modules.flatMap(importsOf);
const lines = (path: string) => readText(path).split('\n').length;

describe('architecture', () => {
  it('saw the modules and the imports there are', () => {
    expect(modules.length).toBeGreaterThanOrEqual(180);
    expect(imports.length).toBeGreaterThanOrEqual(modules.length * 2);
    for (const { name, holds } of layers)
      expect(
        modules.some((path) => holds.test(path)),
        name,
      ).toBe(true);
  });

  it('knows every kind of import', () => {
    const layer = layerOf('src/domain/names.ts');
    expect(layer.name).toBe('domain');
    const log = 'src/store/postgres/log/a.ts';
    expect(refusal({ from: 'src/domain/names.ts', to: '../store/store.js', isDynamic: false })).toContain('(port)');
    expect(refusal({ from: log, to: '../../sqlite/log/b.js', isDynamic: true })).toContain('(store/sqlite/log)');
    expect(refusal({ from: log, to: '../rebuilds/b.js', isDynamic: false })).toContain('(store/postgres/rebuilds)');
    expect(refusal({ from: 'commands/read.ts', to: 'pg', isDynamic: false })).toContain('package pg');
    expect(refusal({ from: log, to: 'pg', isDynamic: false })).toBeUndefined();
  });

  it('follows the arrows', () => {
    expect(imports.flatMap((each) => refusal(each) ?? [])).toEqual([]);
  });

  it('has no circle of files, types included', () => {
    expect(findCircle(imports)).toEqual([]);
    const circle = [
      { from: 'src/a.ts', to: './b.js', isDynamic: false, isType: true },
      { from: 'src/b.ts', to: './a.js', isDynamic: true },
    ];
    expect(findCircle(circle)).toEqual(['src/a.ts', 'src/b.ts', 'src/a.ts']);
  });

  it('opens the drivers by dynamic import only', () => {
    const drivers = imports.filter(({ from, to }) => from === 'src/store/open.ts' && /\/(postgres|sqlite)\//.test(to));
    expect(new Set(drivers.map(({ to }) => to)).size).toBe(2);
    expect(drivers.filter(({ isDynamic }) => !isDynamic)).toEqual([]);
  });

  it('has one module that knows each of the heavy packages', () => {
    const strangers = imports.filter(({ from, to }) => soleImporters[to]?.test(from) === false);
    expect(strangers).toEqual([]);
    for (const name of Object.keys(soleImporters))
      expect(
        imports.some(({ to }) => to === name),
        name,
      ).toBe(true);
  });

  it('loads the driver of Postgres in one place, which knows how', () => {
    const loads = (path: string) => /^import (?!type\b).*'pg(\/.*)?';$|[^t]\('pg(\/.*)?'\)/m.test(readCode(path));
    expect(modules.filter(loads)).toEqual(['src/store/postgres/connection/driver.ts']);
  });

  it('starts without a static import', () => {
    expect(importsOf('bin/evstore.ts').filter(({ isDynamic }) => !isDynamic)).toEqual([]);
  });

  it('loads what draws tables and reads configs when there is something to draw or read', () => {
    const heavy = [
      'better-sqlite3',
      'chalk',
      'dotenv',
      'dotenv-expand',
      'jiti',
      'minimatch',
      'ora',
      'pg',
      'string-width',
    ];
    expect(loadedWith('commands/support/print-list.ts')).toContain('src/terminal/sanitise.ts');
    expect(loadedWith('src/output/table.ts')).toContain('string-width');
    const commands = modules.filter((path) => path.startsWith('commands/'));
    const loads = commands.flatMap((path) =>
      heavy.filter((name) => loadedWith(path).has(name)).map((name) => [path, name]),
    );
    expect(loads).toEqual([]);
  });

  it('writes through one door, and ends the process in one place, when everything is written', () => {
    const product = modules.filter((path) => !path.startsWith('templates/'));
    expect(product.filter((path) => /\bconsole\s*\./.test(readCode(path)))).toEqual([]);
    expect(product.filter((path) => /\bprocess\.exit\s*[(=;]/.test(readCode(path)))).toEqual([
      // Makes it throw for user code.
      'src/terminal/user-code.ts',
      'commands/program/start.ts',
    ]);
  });

  it('keeps every file readable', () => {
    // The port is read as one page: half of it says what the methods promise.
    const long = modules.filter((path) => path !== 'src/store/store.ts' && lines(path) > 350);
    expect(long.map((path) => `${path}: ${lines(path)}`)).toEqual([]);
    for (const path of modules) expect(basename(path), path).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*(\.test)?(\.d)?\.ts$/);
  });
});

describe('SQL files', () => {
  const files = listFiles('src/store', '.sql');
  const statements = files.filter((path) => !path.includes('/migrations/'));

  it('are there', () => expect(statements.length).toBeGreaterThanOrEqual(20));

  it('O19: no code reads last_value of the sequence', () => {
    const dirty = [...files, ...modules].filter((path) => /select\s+last_value\s+from/i.test(readText(path)));
    expect(dirty).toEqual([]);
  });

  it('are each named by a module of their engine', () => {
    const unused = statements.filter((path) => {
      const engine = path.split('/')[2] ?? '';
      const code = modules.filter((module) => module.startsWith(`src/store/${engine}/`)).map(readCode);
      return !code.some((text) => namesIn(text).some((name) => name.test(basename(path, '.sql'))));
    });
    expect(unused).toEqual([]);
  });

  it('are ASCII, which a database of any encoding can read', () => {
    expect(files.filter((path) => /[^ -~\n]/.test(readText(path)))).toEqual([]);
  });

  it('open with a comment that says what they are for', () => {
    expect(files.filter((path) => !/^(--|\/\*)/.test(readText(path)))).toEqual([]);
  });
});

/** Reads how a project's formatter writes code. Only files of data are read: a config that is code is named, not run. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isObject, readJsonFile } from './json-file.js';
import { type Format, templateStyle } from './style.js';

export interface FoundFormat {
  readonly format: Format;
  /** Absolute. */
  readonly file: string | undefined;
  readonly found: readonly string[];
}

const biomeFiles = ['biome.json', 'biome.jsonc', '.biome.json', '.biome.jsonc'];
const prettierFiles = ['.prettierrc', '.prettierrc.json', '.prettierrc.yaml', '.prettierrc.yml', '.prettierrc.json5'];
const prettierCode = ['prettier.config', '.prettierrc'].flatMap((name) =>
  ['js', 'mjs', 'cjs', 'ts', 'mts', 'cts', 'toml'].map((extension) => `${name}.${extension}`),
);

/** Looks from the folder up to the root of the repository. @param manifest the package.json, absolute */
export function detectFormat(
  folder: string,
  manifest: string | undefined,
  packages: ReadonlySet<string>,
  doubts: string[],
): FoundFormat {
  for (let at = folder; ; at = dirname(at)) {
    const find = (names: readonly string[]) => names.map((name) => join(at, name)).find((file) => existsSync(file));
    const biome = find(biomeFiles);
    if (biome !== undefined) return readBiome(biome, doubts);
    const prettier = find(prettierFiles);
    if (prettier !== undefined) return readPrettier(prettier, doubts);
    const code = find(prettierCode);
    if (code !== undefined) {
      doubts.push(`${basename(code)} is not read: format the files with prettier`);
      return none;
    }
    if (find(['.git']) !== undefined || at === dirname(at)) break;
  }
  const content = manifest === undefined ? undefined : readJsonFile(manifest);
  if (isObject(content) && isObject(content.prettier)) return fromPrettier(content.prettier, undefined);
  return packages.has('prettier') ? fromPrettier({}, undefined) : none;
}

const none: FoundFormat = { format: templateStyle.format, file: undefined, found: [] };

function readBiome(file: string, doubts: string[]): FoundFormat {
  const config = readJsonFile(file);
  if (!isObject(config)) return unread(file, doubts);
  if (config.extends !== undefined) doubts.push(`${basename(file)} extends others, which are not read`);
  const member = (value: unknown, name: string) => (isObject(value) ? value[name] : undefined);
  const own = member(config.javascript, 'formatter');
  const setting = (name: string) => member(own, name) ?? member(config.formatter, name);
  return toFound(file, {
    tabs: setting('indentStyle') !== 'space',
    width: setting('indentWidth'),
    single: member(own, 'quoteStyle') === 'single',
    semicolons: member(own, 'semicolons') !== 'asNeeded',
  });
}

function readPrettier(file: string, doubts: string[]): FoundFormat {
  const config = readJsonFile(file) ?? readPlainYaml(file);
  return isObject(config) ? fromPrettier(config, file) : unread(file, doubts);
}

function fromPrettier(config: Readonly<Record<string, unknown>>, file: string | undefined): FoundFormat {
  const { useTabs, tabWidth, singleQuote, semi } = config;
  return toFound(file, {
    tabs: useTabs === true,
    width: tabWidth,
    single: singleQuote === true,
    semicolons: semi !== false,
  });
}

/** `key: value` on each line; anything else is not plain. */
function readPlainYaml(file: string): unknown {
  const lines = readFileSync(file, 'utf8')
    .split(/\r?\n/)
    .filter((line) => /\S/.test(line) && !/^\s*#/.test(line));
  const pairs = lines.map((line) => /^(\w+):\s*(true|false|\d+|\S+)\s*(?:#.*)?$/.exec(line));
  if (pairs.some((pair) => pair === null)) return undefined;
  const value = (text: string) => (/^(?:true|false|\d+)$/.test(text) ? JSON.parse(text) : text);
  return Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', value(pair?.[2] ?? '')]));
}

interface Settings {
  readonly tabs: boolean;
  readonly width: unknown;
  readonly single: boolean;
  readonly semicolons: boolean;
}

function toFound(file: string | undefined, { tabs, width, single, semicolons }: Settings): FoundFormat {
  const spaces = typeof width === 'number' && Number.isInteger(width) && width > 0 && width <= 16 ? width : 2;
  return {
    format: { indent: tabs ? '\t' : ' '.repeat(spaces), quote: single ? "'" : '"', semicolons },
    file,
    found: [
      tabs ? 'tabs' : `${spaces} spaces`,
      `${single ? 'single' : 'double'} quotes`,
      ...(semicolons ? [] : ['no semicolons']),
    ],
  };
}

function unread(file: string, doubts: string[]): FoundFormat {
  doubts.push(`${basename(file)} cannot be read: format the files yourself`);
  return none;
}

/** Whether the project's config finds the generated files, and what to change in it if it does not. */
import { readFileSync } from 'node:fs';
import { basename, dirname, join, posix, relative, sep } from 'node:path';
import { findConfig, isExecutable } from '../config/find-config.js';
import { isFoundBy } from '../config/find-files.js';
import { isObject } from './json-file.js';

/** The settings of a config that name files; also the folders of their defaults. */
export type GlobSetting = 'projections' | 'sagas' | 'aggregates' | 'reactions';

export interface ConfigPlace {
  /** Absolute; undefined without a config. */
  readonly file: string | undefined;
  /** That the globs are relative to, absolute. */
  readonly folder: string;
  /** What the config says; undefined when it says nothing, or is code. */
  readonly globs: readonly string[] | undefined;
  /** The config is code, and not read. */
  readonly isCode: boolean;
}

export interface ConfigChange {
  /** Absolute. */
  readonly file: string;
  readonly before: string;
  readonly content: string;
}

/** @param named `--config` @throws E_CONFIG when the one named does not exist */
export function readConfigPlace(cwd: string, named: string | undefined, setting: GlobSetting): ConfigPlace {
  const file = findConfig(cwd, named);
  if (file === undefined) return { file, folder: cwd, globs: undefined, isCode: false };
  const folder = dirname(file);
  if (isExecutable(file)) return { file, folder, globs: undefined, isCode: true };
  return { file, folder, globs: readGlobs(parse(readFileSync(file, 'utf8')), setting), isCode: false };
}

/** The folder of the first glob: where the project has such files. */
export function folderOf({ globs }: ConfigPlace, setting: GlobSetting): string {
  const [first = setting] = globs ?? [];
  const wildcard = first.search(/[*?{[(]/);
  const fixed = wildcard === -1 ? first : first.slice(0, first.lastIndexOf('/', wildcard) + 1);
  const plain = posix.normalize(fixed).replace(/\/$/, '');
  const isFolder = plain !== '' && plain !== '.' && !plain.startsWith('..') && !posix.isAbsolute(plain);
  return isFolder && !/\.[cm]?[jt]s$/.test(plain) ? plain : setting;
}

/**
 * Returns what makes the config find the file: a changed config, a line to add by hand, or nothing if it is found already.
 * A config that is code is not changed.
 * @param path absolute, of a generated file
 */
export async function findMissingGlob(
  { file, folder, globs, isCode }: ConfigPlace,
  setting: GlobSetting,
  path: string,
): Promise<{ readonly change?: ConfigChange; readonly line?: string }> {
  const known = globs ?? [setting];
  if (await isFoundBy(known, folder, path)) return {};
  const missing = relative(folder, dirname(path)).split(sep).join('/');
  const wanted = [...known, missing];
  const line = `${JSON.stringify(setting)}: ${JSON.stringify(wanted)}`;
  if (file === undefined) return { line: `${join('.', 'evstore.config.json')}: { ${line} }` };
  const before = isCode ? '' : readFileSync(file, 'utf8');
  const content = isCode ? undefined : insertGlob(before, setting, wanted);
  return content === undefined ? { line: `${basename(file)}: ${line}` } : { change: { file, before, content } };
}

/** Returns undefined when the text leaves doubt: its config, read again, must differ in this setting only. */
function insertGlob(text: string, setting: GlobSetting, wanted: readonly string[]): string | undefined {
  const value = JSON.stringify(wanted).replaceAll('","', '", "');
  const known = new RegExp(`("${setting}"\\s*:\\s*)("(?:[^"\\\\]|\\\\.)*"|\\[[^\\]]*\\])`);
  const content = known.test(text)
    ? text.replace(known, (_all, start: string) => `${start}${value}`)
    : text.replace(/^(\s*\{)(\s*)(?=["}])/, (_all, start: string, space: string) => {
        const isEmpty = text[start.length + space.length] === '}';
        return `${start}${space}"${setting}": ${value}${isEmpty ? '' : ','}${space}`;
      });
  const [old, changed] = [parse(text), parse(content)];
  if (!isObject(old) || !isObject(changed)) return undefined;
  const isMeant = JSON.stringify({ ...old, [setting]: wanted }) === JSON.stringify({ ...old, ...changed });
  const hasSameKeys = Object.keys(changed).every((key) => key === setting || Object.hasOwn(old, key));
  return isMeant && hasSameKeys ? content : undefined;
}

function readGlobs(config: unknown, setting: GlobSetting): readonly string[] | undefined {
  const value = isObject(config) ? config[setting] : undefined;
  const globs = typeof value === 'string' ? [value] : value;
  return Array.isArray(globs) && globs.every((each) => typeof each === 'string') ? globs : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

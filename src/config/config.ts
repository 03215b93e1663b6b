/** What a project says about itself in `evstore.config.{ts,mts,js,mjs,json}`. */
import { EvstoreError } from '../domain/errors.js';

export interface Config {
  /** `sqlite:PATH` (relative to the config file) or `postgres://…`. */
  readonly store?: string;
  /** Schema of Postgres. Default `public`. */
  readonly schema?: string;
  /**
   * One or many globs of projection files (`*`, `?`, `**`, `{a,b}`, `[ab]`) or folders, relative to the config file.
   * Default: the TypeScript and JavaScript files in the folder `projections`.
   */
  readonly projections?: string | readonly string[];
  /** One or many globs of saga files or folders, as for projections. Default: those in the folder `sagas`. */
  readonly sagas?: string | readonly string[];
}

/** A config, and where it came from. */
export interface LoadedConfig extends Config {
  /** Absolute; undefined when there is no config file. */
  readonly file: string | undefined;
  /** What its paths are relative to: the file's folder, or the working directory without one. */
  readonly folder: string;
}

/** Gives its argument back, checked by the compiler. */
export function defineConfig(config: Config): Config {
  return config;
}

const checks: Readonly<Record<keyof Config, (value: unknown) => boolean>> = {
  store: isText,
  schema: isText,
  projections: isTextOrTexts,
  sagas: isTextOrTexts,
};

/**
 * The config in what a file exported or held.
 * @throws E_CONFIG naming the key that is wrong
 */
export function checkConfig(value: unknown, file: string): Config {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new EvstoreError('E_CONFIG', `${file} holds no config`, {
      why: 'Its default export (or the JSON document) is an object: { store, schema, projections, sagas }.',
    });
  }
  for (const [key, held] of Object.entries(value)) {
    const check = Object.hasOwn(checks, key) ? checks[key as keyof Config] : undefined;
    if (check === undefined) {
      throw new EvstoreError('E_CONFIG', `${file} has an unknown key '${key}'`, {
        why: `Known are: ${Object.keys(checks).join(', ')}.`,
      });
    }
    if (held !== undefined && !check(held)) {
      const wanted = check === isText ? 'a string' : 'a string or an array of strings';
      throw new EvstoreError('E_CONFIG', `${file}: '${key}' is not ${wanted}`);
    }
  }
  return Object.fromEntries(Object.entries(value).filter(([, held]) => held !== undefined));
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isTextOrTexts(value: unknown): boolean {
  return Array.isArray(value) ? value.every(isText) : isText(value);
}

/** What a project says about itself in `evstore.config.{ts,mts,js,mjs,json}`. */
import { EvstoreError } from '../domain/errors.js';
import { findSimilar } from '../domain/similar.js';

export interface Config {
  /** `sqlite:PATH` (relative to the config file), `postgres://…`, or the name of one of `stores`. */
  readonly store?: string;
  /**
   * Stores that `--store NAME` and `EVSTORE_URL=NAME` choose. Names are letters of any script, digits, dots, `-` and `_`, and
   * begin with a letter, a digit or `_`.
   */
  readonly stores?: Readonly<Record<string, NamedStore>>;
  /** Schema of Postgres. Default `public`. */
  readonly schema?: string;
  /**
   * One or many globs of projection files (`*`, `?`, `**`, `{a,b}`, `[ab]`) or folders, relative to the config file.
   * Default: the TypeScript and JavaScript files in the folder `projections`.
   */
  readonly projections?: string | readonly string[];
  /** One or many globs of saga files or folders, as for projections. Default: those in the folder `sagas`. */
  readonly sagas?: string | readonly string[];
  /** One or many globs of aggregate files or folders, as for projections. Default: those in the folder `aggregates`. */
  readonly aggregates?: string | readonly string[];
  /** One or many globs of reaction files or folders, as for projections. Default: those in the folder `reactions`. */
  readonly reactions?: string | readonly string[];
}

export interface NamedStore {
  /** `sqlite:PATH` (relative to the config file) or `postgres://…`. */
  readonly url: string;
  /** Schema of Postgres. Default: that of the config. */
  readonly schema?: string;
  /** Commands ask for the name of the store before they write to it. Only where it is chosen by its name. */
  readonly protected?: boolean;
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
  stores: isRecord,
  schema: isText,
  projections: isTextOrTexts,
  sagas: isTextOrTexts,
  aggregates: isTextOrTexts,
  reactions: isTextOrTexts,
};

const keys = Object.keys(checks);

const storeChecks: Readonly<Record<keyof NamedStore, (value: unknown) => boolean>> = {
  url: isText,
  schema: isText,
  protected: (value) => typeof value === 'boolean',
};

/** Without a colon or a slash, so that no name is a URL or a path. */
const storeName = /^[\p{L}\p{N}_][\p{L}\p{M}\p{N}_.-]*$/u;

/**
 * The config in what a file exported or held.
 * @param value undefined when the file has no default export
 * @throws E_CONFIG naming every key that is wrong
 */
export function checkConfig(value: unknown, file: string): Config {
  if (!isRecord(value)) {
    const held = value === undefined ? 'There is none' : `It is ${describe(value)}`;
    throw new EvstoreError('E_CONFIG', `${file} holds no config`, {
      why: `Its default export (or the JSON document) has to be an object of ${keys.join(', ')}. ${held}.`,
    });
  }
  const faults = Object.entries(value).flatMap(([key, held]) => {
    const fault = faultOf(key, held);
    if (fault !== undefined) return [fault];
    return key === 'stores' && isRecord(held) ? Object.entries(held).flatMap(findStoreFaults) : [];
  });
  const [first, ...others] = faults;
  if (first !== undefined) {
    const more = others.map(({ what, why }) => `Also, ${what}. ${why}`);
    throw new EvstoreError('E_CONFIG', `${file}: ${first.what}`, { why: [first.why, ...more].join('\n') });
  }
  return Object.fromEntries(Object.entries(value).filter(([, held]) => held !== undefined));
}

function faultOf(key: string, held: unknown): { readonly what: string; readonly why: string } | undefined {
  const check = Object.hasOwn(checks, key) ? checks[key as keyof Config] : undefined;
  if (check === undefined) {
    const meant = findSimilar(key, keys);
    const why = meant === undefined ? `Known are: ${keys.join(', ')}.` : `Did you mean ${meant}?`;
    return { what: `the key '${key}' is unknown`, why };
  }
  if (held === undefined || check(held)) return undefined;
  const wanted = check === isText ? 'a string' : check === isRecord ? 'an object' : 'a string or an array of strings';
  return { what: `'${key}' is not ${wanted}`, why: `It is ${describe(held)}.` };
}

function findStoreFaults([name, held]: readonly [string, unknown]): readonly { what: string; why: string }[] {
  const place = `stores.${name}`;
  if (!storeName.test(name)) {
    const why = 'Use letters of any script, digits, dots, - and _; begin with a letter, a digit or _.';
    return [{ what: `'${name}' cannot be the name of a store`, why }];
  }
  if (!isRecord(held)) return [{ what: `'${place}' is not an object`, why: `It is ${describe(held)}.` }];
  const store = held as Readonly<Record<string, unknown>>;
  if (store.url === undefined) return [{ what: `'${place}' has no url`, why: 'A store is an object with a url.' }];
  return Object.entries(store).flatMap(([key, value]) => {
    const known = Object.keys(storeChecks);
    const check = Object.hasOwn(storeChecks, key) ? storeChecks[key as keyof NamedStore] : undefined;
    if (check === undefined) {
      const meant = findSimilar(key, known);
      const why = meant === undefined ? `Known are: ${known.join(', ')}.` : `Did you mean ${meant}?`;
      return [{ what: `the key '${place}.${key}' is unknown`, why }];
    }
    if (value === undefined || check(value)) return [];
    const wanted = check === isText ? 'a string' : 'true or false';
    return [{ what: `'${place}.${key}' is not ${wanted}`, why: `It is ${describe(value)}.` }];
  });
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Promise);
}

function describe(value: unknown): string {
  if (value === null || value === '') return value === null ? 'null' : 'an empty string';
  if (value instanceof Promise) return 'a promise: write `export default await …`';
  if (!Array.isArray(value)) return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
  const wrong = value.find((each) => !isText(each));
  return wrong === undefined ? 'an array' : `an array that holds ${describe(wrong)}`;
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isTextOrTexts(value: unknown): boolean {
  return Array.isArray(value) ? value.every(isText) : isText(value);
}

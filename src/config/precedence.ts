/** Which store: the flag, `EVSTORE_URL`, the config file, `DATABASE_URL`, or a SQLite file in the working directory. */
import { EvstoreError } from '../domain/errors.js';
import { findSimilar } from '../domain/similar.js';
import type { LoadedConfig } from './config.js';
import { type Environment, resolveStoreUrl } from './dotenv.js';

export interface StoreChoice {
  /** With the path of a SQLite file made absolute where it is not relative to the working directory. */
  readonly url: string;
  /** Undefined means the engine's default. */
  readonly schema: string | undefined;
  /** Where the URL came from, for errors: `--store`, `EVSTORE_URL`, the config file, `DATABASE_URL`, `the default`. */
  readonly origin: string;
  /** The name by which it was chosen, of one of the stores in the config. */
  readonly name?: string;
  /** Its name is asked for before a write. */
  readonly isProtected?: boolean;
}

export interface StoreSources {
  readonly cwd: string;
  readonly env: Environment;
  /** `--store` and `--schema`. */
  readonly flags: { readonly store?: string | undefined; readonly schema?: string | undefined };
  /** Asked only when neither the flag nor `EVSTORE_URL` gives a URL: it may run the user's code. */
  readonly config: () => Promise<LoadedConfig>;
}

/** @throws E_CONFIG for a name that no store in the config has */
export async function resolveStore({ cwd, env, flags, config }: StoreSources): Promise<StoreChoice> {
  const schema = flags.schema ?? nonEmpty(env.EVSTORE_SCHEMA);
  const direct = choose([
    [flags.store, '--store'],
    [env.EVSTORE_URL, 'EVSTORE_URL'],
  ]);
  if (direct !== undefined && isUrl(direct.url)) return { ...absolute(direct, cwd), schema };
  const loaded = await config();
  const { store, file, folder } = loaded;
  const named = direct ?? choose([[store, file ?? 'the config']]);
  if (named !== undefined && !isUrl(named.url)) return chooseByName(named, loaded, schema);
  if (named !== undefined) return { ...absolute(named, folder), schema: schema ?? loaded.schema };
  const last = choose([[env.DATABASE_URL, 'DATABASE_URL']]) ?? { url: 'sqlite:./evstore.db', origin: 'the default' };
  return { ...absolute(last, cwd), schema: schema ?? loaded.schema };
}

function isUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:/i.test(text);
}

function chooseByName(
  { url: name, origin }: Named,
  { stores = {}, folder, file, schema: usual }: LoadedConfig,
  schema: string | undefined,
): StoreChoice {
  const found = Object.hasOwn(stores, name) ? stores[name] : undefined;
  if (found !== undefined) {
    const place = absolute({ url: found.url, origin: `stores.${name} of ${file}` }, folder);
    return { ...place, schema: schema ?? found.schema ?? usual, name, isProtected: found.protected === true };
  }
  const names = Object.keys(stores);
  // Without named stores it can only be a URL that is wrong, which opening it explains.
  if (names.length === 0) return { url: name, origin, schema };
  const meant = findSimilar(name, names);
  throw new EvstoreError('E_CONFIG', `no store is named '${name}' (from ${origin})`, {
    why: meant === undefined ? `The config names: ${names.join(', ')}.` : `Did you mean ${meant}?`,
    next: 'evstore config show',
    details: { name, stores: names, ...(meant !== undefined && { meant }) },
  });
}

type Named = Pick<StoreChoice, 'url' | 'origin'>;

function choose(candidates: readonly (readonly [url: string | undefined, origin: string])[]): Named | undefined {
  for (const [url, origin] of candidates) {
    const trimmed = url?.trim() ?? '';
    if (trimmed !== '') return { url: trimmed, origin };
  }
  return undefined;
}

/** A relative file is in the folder of what named it: the working directory, or the folder of the config file. */
function absolute({ url, origin }: Named, folder: string): Named {
  return { url: resolveStoreUrl(url, folder), origin };
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

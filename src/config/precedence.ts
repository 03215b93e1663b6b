/** Which store: the flag, `EVSTORE_URL`, the config file, `DATABASE_URL`, or a SQLite file in the working directory. */
import type { LoadedConfig } from './config.js';
import { type Environment, resolveStoreUrl } from './dotenv.js';

export interface StoreChoice {
  /** With the path of a SQLite file made absolute where it is not relative to the working directory. */
  readonly url: string;
  /** Undefined means the engine's default. */
  readonly schema: string | undefined;
  /** Where the URL came from, for errors: `--store`, `EVSTORE_URL`, the config file, `DATABASE_URL`, `the default`. */
  readonly origin: string;
}

export interface StoreSources {
  readonly cwd: string;
  readonly env: Environment;
  /** `--store` and `--schema`. */
  readonly flags: { readonly store?: string | undefined; readonly schema?: string | undefined };
  /** Asked only when neither the flag nor `EVSTORE_URL` names a store: it may run the user's code. */
  readonly config: () => Promise<LoadedConfig>;
}

export async function resolveStore({ cwd, env, flags, config }: StoreSources): Promise<StoreChoice> {
  const schema = flags.schema ?? nonEmpty(env.EVSTORE_SCHEMA);
  const direct = choose([
    [flags.store, '--store'],
    [env.EVSTORE_URL, 'EVSTORE_URL'],
  ]);
  if (direct !== undefined) return { ...absolute(direct, cwd), schema };
  const { store, file, folder, schema: configured } = await config();
  const named = choose([[store, file ?? 'the config']]);
  if (named !== undefined) return { ...absolute(named, folder), schema: schema ?? configured };
  const last = choose([[env.DATABASE_URL, 'DATABASE_URL']]) ?? { url: 'sqlite:./evstore.db', origin: 'the default' };
  return { ...absolute(last, cwd), schema: schema ?? configured };
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

/** Lists the settings: what each source says, and which source wins. */
import { redactUrl } from '../store/redact-url.js';
import type { LoadedConfig } from './config.js';
import type { Environment } from './dotenv.js';
import type { StoreChoice } from './precedence.js';

export interface SettingSource {
  readonly setting: 'store' | 'schema' | 'projections' | 'sagas' | 'reactions';
  /** Without passwords. */
  readonly value: string;
  /** `--store`, `EVSTORE_URL`, `EVSTORE_URL in .env`, the config file, `the default` … */
  readonly source: string;
  readonly wins: boolean;
}

export interface SettingsFacts {
  readonly flags: { readonly store?: string | undefined; readonly schema?: string | undefined };
  readonly env: Environment;
  /** The variables whose values come from a `.env`. */
  readonly fromDotenv: ReadonlySet<string>;
  readonly config: LoadedConfig;
  /** What wins. */
  readonly choice: StoreChoice;
}

/** The strongest source of each setting first. */
export function listSources(facts: SettingsFacts): readonly SettingSource[] {
  const { flags, config, choice } = facts;
  const { file = 'the config' } = config;
  const variable = (name: string) => (facts.fromDotenv.has(name) ? `${name} in .env` : name);
  const value = (name: string) => facts.env[name]?.trim() || undefined;
  const store = [
    { value: flags.store, source: '--store' },
    { value: value('EVSTORE_URL'), source: variable('EVSTORE_URL') },
    { value: config.store, source: file },
    { value: value('DATABASE_URL'), source: variable('DATABASE_URL') },
    { value: 'sqlite:./evstore.db', source: 'the default' },
  ];
  const named = choice.name === undefined ? undefined : config.stores?.[choice.name]?.schema;
  const isGivenByUrl = choice.name === undefined && (flags.store ?? value('EVSTORE_URL')) !== undefined;
  const schema = [
    { value: flags.schema, source: '--schema' },
    { value: value('EVSTORE_SCHEMA'), source: variable('EVSTORE_SCHEMA') },
    { value: named, source: `stores.${choice.name} of ${file}` },
    // It belongs to the store of the config.
    { value: config.schema, source: file, isPassedOver: isGivenByUrl },
    { value: 'public', source: 'the default' },
  ];
  const globs = (key: 'projections' | 'sagas' | 'reactions') => [
    { value: config[key] === undefined ? undefined : [config[key]].flat().join(', '), source: file },
    { value: key, source: 'the default' },
  ];
  return [
    ...rank('store', store),
    ...rank('schema', schema),
    ...rank('projections', globs('projections')),
    ...rank('sagas', globs('sagas')),
    ...rank('reactions', globs('reactions')),
  ];
}

interface Candidate {
  readonly value: string | undefined;
  readonly source: string;
  readonly isPassedOver?: boolean;
}

function rank(setting: SettingSource['setting'], candidates: readonly Candidate[]): readonly SettingSource[] {
  const given = candidates.filter(({ value }) => value !== undefined);
  const winner = given.find(({ isPassedOver }) => isPassedOver !== true);
  return given.map((each) => ({
    setting,
    value: redactUrl(each.value ?? ''),
    source: each.source,
    wins: each === winner,
  }));
}

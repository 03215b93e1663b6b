/** The names in a store that can follow what is typed so far. For completion: never runs user code. */
import type { LoadedConfig } from '../../src/config/config.js';
import { findConfig, isExecutable } from '../../src/config/find-config.js';
import { resolveStore } from '../../src/config/precedence.js';
import { isProjectionId, runName } from '../../src/domain/subscription-names.js';
import { openStoreAt } from '../../src/store/open.js';
import type { Store } from '../../src/store/store.js';
import type { Io } from '../../src/terminal/io.js';

type Kind = 'stream' | 'type' | 'projection' | 'runnable' | 'record' | 'checkpoint' | 'saga' | 'instance' | 'parked';

/** What the arguments of each command name; the last one is repeated where the command takes several. */
export const argumentKinds: Readonly<Record<string, readonly Kind[]>> = {
  append: ['stream'],
  read: ['stream'],
  tail: ['stream'],
  state: ['stream'],
  'snapshots show': ['stream'],
  'snapshots delete': ['stream'],
  'snapshots verify': ['stream'],
  export: ['stream'],
  run: ['runnable'],
  lag: ['checkpoint'],
  wait: ['checkpoint'],
  rebuild: ['projection'],
  repair: ['projection'],
  diff: ['projection'],
  swap: ['projection'],
  rollback: ['projection'],
  abort: ['projection'],
  'checkpoints list': ['checkpoint'],
  'checkpoints set': ['checkpoint'],
  'checkpoints reset': ['checkpoint'],
  'checkpoints delete': ['checkpoint'],
  'checkpoints history': ['checkpoint'],
  'parked list': ['record'],
  'parked show': ['record', 'parked'],
  'parked retry': ['record', 'parked'],
  'parked discard': ['record', 'parked'],
  'projections forget': ['projection'],
  'projections rename': ['projection'],
  'saga list': ['saga'],
  'saga overdue': ['saga'],
  'saga show': ['saga', 'instance'],
  'saga cancel': ['saga', 'instance'],
  'saga retry': ['saga', 'instance'],
};

const optionKinds: Readonly<Record<string, Kind>> = {
  '--stream': 'stream',
  '--type': 'type',
  '--until-type': 'type',
  '--wait-for': 'projection',
};

/** Options without a value: what follows them is an argument. */
const switches =
  /^(-[yqf]|--(json|quiet|yes|debug|execute|exact|all|once|backwards|upcast|skip-events|dry-run|resume|restart|no-\w.*))$/;
const most = 200;
/** No shell splits, expands or quotes these, and none of them changes what a terminal shows. */
const plain = /^[\p{L}\p{N}_][\p{L}\p{N}\p{M}_.:@#/+,-]*$/u;

/** @param words after `evstore`; the last one is being typed and may be empty */
export async function findLiveNames(words: readonly string[], io: Io, patienceMs: number): Promise<readonly string[]> {
  const wanted = findWanted(words);
  if (wanted === undefined) return [];
  const choice = await resolveStore({
    cwd: io.cwd,
    env: io.env,
    flags: { store: optionIn(words, '--store'), schema: optionIn(words, '--schema') },
    config: () => readPlainConfig(io.cwd, optionIn(words, '--config')),
  });
  const { url, schema } = choice;
  const patience = { ms: patienceMs };
  const store = await openStoreAt(url, { schema, readOnly: true, applicationName: 'evstore completion', patience });
  try {
    const names = await list(store, wanted);
    return [...new Set(names)].filter((name) => name.startsWith(wanted.prefix) && plain.test(name)).slice(0, most);
  } finally {
    await store.close();
  }
}

interface Wanted {
  readonly kind: Kind;
  readonly prefix: string;
  /** The arguments before it. */
  readonly before: readonly string[];
}

function findWanted(words: readonly string[]): Wanted | undefined {
  const prefix = words.at(-1) ?? '';
  const typed = words.slice(0, -1);
  const option = optionKinds[typed.at(-1) ?? ''];
  if (option !== undefined) return { kind: option, prefix, before: [] };
  if (prefix.startsWith('-') || isValue(typed.length, words)) return undefined;
  const [command = '', ...others] = typed.filter((word, index) => !word.startsWith('-') && !isValue(index, words));
  const [subcommand, ...rest] = others;
  const own = argumentKinds[command];
  const kinds = own ?? argumentKinds[`${command} ${subcommand}`] ?? [];
  const before = own === undefined ? rest : others;
  const kind = kinds[before.length] ?? kinds.at(-1);
  return kind === undefined ? undefined : { kind, prefix, before };
}

/** Whether the word is the value of the option before it. */
function isValue(index: number, words: readonly string[]): boolean {
  const before = words[index - 1] ?? '';
  return before.startsWith('-') && !before.includes('=') && !switches.test(before);
}

function optionIn(words: readonly string[], option: string): string | undefined {
  const joined = words.find((word) => word.startsWith(`${option}=`));
  const at = words.indexOf(option);
  return joined?.slice(option.length + 1) ?? (at === -1 ? undefined : words[at + 1]);
}

/** @throws for a config that is code: which store is meant cannot be known without running it */
async function readPlainConfig(cwd: string, named: string | undefined): Promise<LoadedConfig> {
  const file = findConfig(cwd, named);
  if (file === undefined) return { file, folder: cwd };
  if (isExecutable(file)) throw new Error(`${file} would have to be run`);
  const { loadConfig } = await import('../../src/config/load-config.js');
  return loadConfig(file);
}

async function list(store: Store, { kind, prefix, before }: Wanted): Promise<readonly string[]> {
  const { log, projections, statistics } = store;
  if (kind === 'stream') return (await log.streams({ prefix, limit: most })).map(({ streamId }) => streamId);
  if (kind === 'type') return (await statistics.types()).map(({ type }) => type);
  if (kind === 'projection' || kind === 'runnable' || kind === 'record') {
    const records = (await projections.list()).map(({ name }) => name);
    if (kind === 'record') return records;
    return kind === 'projection' ? records.filter(isProjectionId) : records.flatMap((name) => runName(name) ?? []);
  }
  if (kind === 'instance') {
    const category = `saga:${before[0] ?? ''}-`;
    const found = await log.streams({ prefix: `${category}${prefix}`, limit: most });
    return found.map(({ streamId }) => streamId.slice(category.length));
  }
  if (kind === 'parked') {
    const filter = { state: 'parked', limit: most, ...(before[0] !== undefined && { projection: before[0] }) } as const;
    return (await projections.parked(filter)).map(({ globalPosition }) => String(globalPosition));
  }
  const names = (await projections.checkpoints()).map(({ subscriptionId }) => subscriptionId);
  return kind === 'saga' ? names.flatMap((name) => /^saga:(.*)$/.exec(name)?.[1] ?? []) : names;
}

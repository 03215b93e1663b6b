/** Reads what is judged about a store, each fact once. A fact that cannot be read does not hide the others. */
import type { Copies } from '../domain/copies.js';
import { type EvstoreError, isEvstoreError } from '../domain/errors.js';
import { type LagSource, lagReaders } from '../projection/status/lag.js';
import { type RowSample, readHealth, type SagaHealth, sampleRows } from '../saga/health.js';
import type {
  BrokenGuard,
  CheckpointChange,
  DerivedTable,
  Diagnosis,
  IdIndex,
  SchemaStatus,
  ScratchPlace,
  Store,
} from '../store/store.js';
import { judgeSchema } from './schema.js';

export interface FactValues extends LagSource {
  readonly engine: Diagnosis;
  readonly guards: readonly BrokenGuard[];
  readonly idIndexes: readonly IdIndex[];
  /** Of checkpoints, by hand, the newest first. */
  readonly changes: readonly CheckpointChange[];
  readonly sagas: SagaHealth;
  readonly sagaRows: RowSample;
  readonly derivedTables: readonly DerivedTable[];
  readonly scratch: readonly ScratchPlace[];
  /** The types of the events in the log. */
  readonly types: readonly string[];
  /** Not of a store: the caller knows it. */
  readonly copies: Copies;
}

export type FactName = keyof FactValues;

/** A fact, or why it could not be read. */
export type Settled<Value> = { readonly value: Value } | { readonly error: EvstoreError };

/** Facts that were not asked for, or that an earlier fault makes meaningless, are missing. */
export type Facts = { readonly [Name in FactName]?: Settled<FactValues[Name]> };

const readers: { readonly [Name in Exclude<FactName, 'copies'>]: (store: Store) => Promise<FactValues[Name]> } = {
  ...lagReaders,
  engine: ({ schema }) => schema.diagnose(),
  guards: ({ schema }) => schema.findBrokenGuards(),
  idIndexes: ({ schema }) => schema.idIndexes(),
  changes: ({ projections }) => projections.checkpointChanges(),
  sagas: readHealth,
  sagaRows: sampleRows,
  derivedTables: ({ projections }) => projections.findDerivedTables(),
  scratch: ({ scratch }) => scratch.list(),
  types: async ({ statistics }) => (await statistics.types()).map(({ type }) => type),
};

/** What a standby cannot tell. */
const ordered: readonly FactName[] = ['head', 'sagas'];

/** Stops after a fault that explains why nothing else can be read: no server, no schema. */
export async function readFacts(store: Store, asked: readonly FactName[]): Promise<Facts> {
  const wanted = asked.filter((name) => name !== 'copies');
  const facts: { [Name in FactName]?: Settled<never> } = {};
  const read = async (name: keyof typeof readers) => {
    facts[name] = (await settle<unknown>(readers[name](store))) as Settled<never>;
  };
  const found = facts as Facts;
  if (wanted.includes('engine')) await read('engine');
  if (found.engine !== undefined && 'error' in found.engine) return found;
  if (wanted.includes('schema')) await read('schema');
  if (found.schema !== undefined && !isUsable(found.schema)) return found;
  if (wanted.includes('guards')) await read('guards');
  const isStandby = found.engine?.value.isStandby === true || isOfStandby(found.guards);
  const others = wanted.filter((name) => !['engine', 'schema', 'guards'].includes(name));
  await Promise.all(others.filter((name) => !isStandby || !ordered.includes(name)).map(read));
  return withoutConsequences(found);
}

function isUsable(schema: Settled<SchemaStatus>): boolean {
  return 'value' in schema && judgeSchema(schema.value).every(({ severity }) => severity !== 'error');
}

/** Where a function of the log is missing, what needs it fails: the broken guard says so already. */
function withoutConsequences(facts: Facts): Facts {
  const { guards } = facts;
  if (guards === undefined || 'error' in guards || guards.value.length === 0) return facts;
  const isConsequence = (name: string) => {
    const fact = facts[name as FactName];
    return ordered.includes(name as FactName) && fact !== undefined && 'error' in fact;
  };
  return Object.fromEntries(Object.entries(facts).filter(([name]) => !isConsequence(name)));
}

function isOfStandby(guards: Facts['guards']): boolean {
  return guards !== undefined && 'value' in guards && guards.value.some(({ isStandby }) => isStandby === true);
}

/** Other errors than those of evstore are bugs. */
async function settle<Value>(reading: Promise<Value>): Promise<Settled<Value>> {
  try {
    return { value: await reading };
  } catch (error) {
    if (isEvstoreError(error)) return { error };
    throw error;
  }
}

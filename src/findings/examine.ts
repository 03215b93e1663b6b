/** Runs checks on a store: the one judgement that doctor, lag, wait and verify share. */
import { EvstoreError } from '../domain/errors.js';
import type { Finding } from '../domain/finding.js';
import { partOf } from '../domain/parts.js';
import type { SagaPhase } from '../domain/saga-phase.js';
import { type LagOptions, type LagReport, type LagSource, lagReaders, measureLag } from '../projection/status/lag.js';
import { sagaCategory } from '../saga/events.js';
import type { SagaHealth } from '../saga/health.js';
import { countStates } from '../saga/inspect.js';
import type { Fact, Store } from '../store/store.js';
import { type Check, type Examination, factsFor, runChecks } from './check.js';
import { readerChecks } from './checks.js';
import { judgeAbility } from './environment.js';
import { type Facts, readFacts } from './facts.js';
import { describeIdIndexes } from './id-indexes.js';

export interface StoreExamination extends Examination {
  /** In the order to show them. */
  readonly facts: readonly Fact[];
}

export interface ExamineOptions {
  /** Its privileges are checked, too. */
  readonly command?: string | undefined;
  /** What is known without the store. */
  readonly given?: Facts;
}

export async function examineStore(
  store: Store,
  checks: readonly Check[],
  now: Date,
  { command, given = {} }: ExamineOptions = {},
): Promise<StoreExamination> {
  const own = checks.filter(({ engine }) => engine === undefined || engine === store.engine);
  const facts = { ...given, ...(await readFacts(store, factsFor(own))) };
  const { findings, checks: results } = runChecks(own, facts, now);
  const engine = readValue(facts.engine);
  const lacking = engine === undefined || command === undefined ? [] : judgeAbility(engine, command);
  return { facts: describeFacts(facts), findings: [...lacking, ...findings], checks: results };
}

export interface SagaLag {
  readonly saga: string;
  readonly overdue: number;
  readonly states: readonly { readonly state: SagaPhase; readonly instances: number }[];
}

export interface Measured {
  readonly report: LagReport;
  /** Instances of the sagas by state; empty where they could not be read, which is a finding. */
  readonly sagas: readonly SagaLag[];
  readonly findings: readonly Finding[];
}

/**
 * Measures the lag and judges readers by the same reading of the store.
 * @throws E_NOT_FOUND for an unknown name, and what prevents measuring
 */
export async function measureAndJudge(store: Store, options: LagOptions): Promise<Measured> {
  const checks = readerChecks.filter(({ engine }) => engine === undefined || engine === store.engine);
  const facts = await readFacts(store, [...new Set([...factsFor(checks), ...lagFacts])]);
  const measured = await measureLag(store, options, lagSourceOf(facts));
  const health = readValue(facts.sagas);
  const sagas = health === undefined ? [] : countSagas(health);
  const projections = measured.projections.map((lag) => {
    const saga = sagas.find(({ saga }) => lag.name === sagaCategory(saga));
    return saga === undefined ? lag : { ...lag, overdue: saga.overdue };
  });
  const report = { ...measured, projections };
  const names = report.projections.map(({ name }) => name);
  const known = readValue(facts.checkpoints)?.map(({ subscriptionId }) => subscriptionId) ?? [];
  const { findings } = runChecks(checks, facts, options.now);
  const isAsked = ({ saga }: SagaLag) => options.names.length === 0 || names.includes(sagaCategory(saga));
  return {
    report,
    sagas: sagas.filter(isAsked),
    findings: options.names.length === 0 ? findings : selectFindings(findings, names, known),
  };
}

function countSagas({ counts, overdueCounts }: SagaHealth): readonly SagaLag[] {
  const states = countStates(counts);
  return [...new Set(states.map(({ saga }) => saga))].map((saga) => ({
    saga,
    overdue: overdueCounts.find((each) => each.saga === saga)?.instances ?? 0,
    states: states.filter((each) => each.saga === saga).map(({ state, instances }) => ({ state, instances })),
  }));
}

/** Returns what judges the readers of these names when it is called. */
export function judgeReaders(store: Store, clock: () => Date) {
  return async (names: readonly string[]): Promise<readonly Finding[]> => {
    return (await measureAndJudge(store, { names, now: clock() })).findings;
  };
}

const lagFacts = Object.keys(lagReaders) as readonly (keyof LagSource)[];

/** @throws the error of the first one that could not be read */
function lagSourceOf(facts: Facts): LagSource {
  for (const name of lagFacts) {
    const fact = facts[name];
    if (fact !== undefined && 'error' in fact) throw fact.error;
  }
  const source = Object.fromEntries(lagFacts.map((name) => [name, readValue<unknown>(facts[name])]));
  if (lagFacts.every((name) => facts[name] !== undefined)) return source as unknown as LagSource;
  throw new EvstoreError('E_UNSAFE_STORE', 'this server is a standby', {
    why: 'Only the primary knows which positions are still open, so a standby cannot tell how far readers are behind.',
    next: 'evstore doctor',
  });
}

/** Returns the findings that concern these subscriptions; all without a name. What is about none concerns all. */
function selectFindings(findings: readonly Finding[], names: readonly string[], known: readonly string[]) {
  if (names.length === 0) return findings;
  const isOther = ({ subject }: Finding) =>
    known.some((name) => isAbout(subject, name)) && !names.some((name) => isAbout(subject, name));
  return findings.filter((finding) => !isOther(finding));
}

/** `NAME`, `NAME#1/3`, `rebuild 4 of NAME`, `saga NAME INSTANCE`, where the subscription is `saga:NAME`. */
function isAbout(subject: string, name: string): boolean {
  const { projection } = partOf(name);
  const saga = projection.replace(/^saga:/, 'saga ');
  return (
    subject === name ||
    subject === projection ||
    (name === projection && partOf(subject).projection === projection) ||
    subject.endsWith(` of ${projection}`) ||
    subject.startsWith(`${saga} `)
  );
}

function describeFacts(facts: Facts): readonly Fact[] {
  const shown: Fact[] = [...(readValue(facts.engine)?.facts ?? [])];
  const schema = readValue(facts.schema);
  if (schema !== undefined) {
    const { version, latest } = schema;
    shown.push({ name: 'schema', value: version === 0 ? 'none' : `version ${version} of ${latest}` });
  }
  const guards = readValue(facts.guards)?.filter(({ isStandby }) => isStandby !== true);
  if (guards !== undefined) {
    shown.push({ name: 'guards', value: guards.length === 0 ? 'intact' : `${guards.length} broken` });
  }
  const idIndexes = readValue(facts.idIndexes);
  if (idIndexes !== undefined) shown.push({ name: 'indexes on ids', value: describeIdIndexes(idIndexes) });
  const head = readValue(facts.head);
  if (head !== undefined) {
    shown.push({ name: 'head', value: String(head.head) }, { name: 'safe head', value: String(head.safeHead) });
  }
  const [records, checkpoints] = [readValue(facts.records), readValue(facts.checkpoints)];
  if (records !== undefined && checkpoints !== undefined) {
    const names = new Set(records.map(({ name }) => name));
    const foreign = checkpoints.filter(({ subscriptionId }) => !names.has(partOf(subscriptionId).projection));
    const projections = records.filter(({ tables, target }) => tables.length > 0 || target !== null);
    shown.push(
      { name: 'projections', value: String(projections.length) },
      { name: 'other subscriptions', value: String(foreign.length) },
    );
  }
  return shown;
}

function readValue<Value>(
  fact: { readonly value: Value } | { readonly error: unknown } | undefined,
): Value | undefined {
  return fact !== undefined && 'value' in fact ? fact.value : undefined;
}

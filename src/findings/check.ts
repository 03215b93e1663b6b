/** A check judges facts and reads nothing. Commands differ only in which checks they run. */
import type { EvstoreError } from '../domain/errors.js';
import type { Finding } from '../domain/finding.js';
import type { Engine } from '../store/store.js';
import type { FactName, Facts, FactValues } from './facts.js';

export interface Check {
  readonly name: string;
  /** What it makes sure of. */
  readonly purpose: string;
  readonly needs: readonly FactName[];
  /** The only engine that can have the fault. */
  readonly engine?: Engine;
  readonly judge: (facts: FactValues, now: Date) => readonly Finding[];
}

/** `skipped`: an earlier fault makes it meaningless. `failed`: a fact could not be read, which is a finding. */
export interface CheckResult {
  readonly name: string;
  readonly purpose: string;
  readonly result: 'ok' | 'found' | 'failed' | 'skipped';
  /** How many findings it has. */
  readonly findings: number;
}

export interface Examination {
  readonly findings: readonly Finding[];
  readonly checks: readonly CheckResult[];
}

export function defineCheck<const Name extends FactName>(
  check: Omit<Check, 'needs' | 'judge'> & {
    readonly needs: readonly Name[];
    readonly judge: (facts: Pick<FactValues, Name>, now: Date) => readonly Finding[];
  },
): Check {
  return check;
}

/** Returns the facts that these checks need. */
export function factsFor(checks: readonly Check[]): readonly FactName[] {
  return [...new Set(checks.flatMap(({ needs }) => needs))];
}

/** Pure. A fact that could not be read is an error: a check that cannot see never says that all is well. */
export function runChecks(checks: readonly Check[], facts: Facts, now: Date): Examination {
  const results = checks.map((check) => ({ check, ...runCheck(check, facts, now) }));
  return {
    findings: [...describeUnread(facts), ...results.flatMap(({ findings }) => findings)],
    checks: results.map(({ check: { name, purpose }, result, findings }) => {
      return { name, purpose, result, findings: findings.length };
    }),
  };
}

function runCheck(
  { needs, judge }: Check,
  facts: Facts,
  now: Date,
): Pick<CheckResult, 'result'> & Pick<Examination, 'findings'> {
  const needed = needs.map((name) => facts[name]);
  if (needed.some((fact) => fact !== undefined && 'error' in fact)) return { result: 'failed', findings: [] };
  if (needed.some((fact) => fact === undefined)) return { result: 'skipped', findings: [] };
  const values = Object.fromEntries(needs.map((name) => [name, factOf(facts, name)]));
  const findings = judge(values as unknown as FactValues, now);
  return { result: findings.length === 0 ? 'ok' : 'found', findings };
}

function factOf(facts: Facts, name: FactName): unknown {
  const fact = facts[name];
  return fact !== undefined && 'value' in fact ? fact.value : undefined;
}

/** Facts that could not be read for the same reason are one finding. */
function describeUnread(facts: Facts): readonly Finding[] {
  const unread = Object.entries(facts).flatMap(([name, fact]) =>
    'error' in fact ? [{ name, error: fact.error }] : [],
  );
  const reasons = [...new Set(unread.map(({ error }) => error.message))];
  return reasons.flatMap((reason) => {
    const same = unread.filter(({ error }) => error.message === reason);
    return same.slice(0, 1).map(({ error }) =>
      unreadFinding(
        same.map(({ name }) => subjects[name] ?? name),
        error,
      ),
    );
  });
}

const subjects: Readonly<Record<string, string>> = {
  engine: 'store',
  head: 'log',
  idIndexes: 'indexes on ids',
  records: 'projections',
};

export function unreadFinding(names: readonly string[], { code, message, why, next }: EvstoreError): Finding {
  return {
    kind: code.slice('E_'.length).toLowerCase().replaceAll('_', '-'),
    severity: 'error',
    subject: names.join(', '),
    detail: `could not be examined: ${message}`,
    ...(why !== undefined && { evidence: why }),
    // Doctor is what says this.
    next: next === undefined || next.startsWith('evstore doctor') ? null : next,
  };
}

/** What the engine found out about the server, its settings and this account, as checks that can be listed. */
import type { Finding } from '../domain/finding.js';
import type { Ability, Diagnosis, Engine } from '../store/store.js';
import { type Check, defineCheck } from './check.js';

interface Aspect {
  readonly name: string;
  readonly purpose: string;
  /** Of the findings of an engine. */
  readonly kinds: readonly string[];
  readonly engine?: Engine;
}

const aspects: readonly Aspect[] = [
  {
    name: 'server',
    purpose: 'the server is a version that works, and the primary',
    kinds: ['old-server', 'standby'],
    engine: 'postgres',
  },
  { name: 'pooler', purpose: 'transactions reach the server', kinds: ['pooler'], engine: 'postgres' },
  {
    name: 'durability',
    purpose: 'a crash loses nothing that was acknowledged',
    kinds: ['lost-writes'],
    engine: 'postgres',
  },
  {
    name: 'settings',
    purpose: 'no setting of the account refuses or ends the work of evstore',
    kinds: ['isolation', 'read-only', 'time-limit'],
    engine: 'postgres',
  },
  {
    name: 'privileges',
    purpose: 'the account may do its work, and cannot change events',
    kinds: ['privileges', 'powerful-account', 'row-security'],
    engine: 'postgres',
  },
  {
    name: 'encryption',
    purpose: 'no one on the network can read events',
    kinds: ['plain-connection'],
    engine: 'postgres',
  },
  {
    name: 'indexes',
    purpose: 'no index was left half-made',
    kinds: ['invalid-index'],
    engine: 'postgres',
  },
  {
    name: 'dead rows',
    purpose: 'autovacuum keeps up with the read models',
    kinds: ['dead-rows'],
    engine: 'postgres',
  },
  {
    name: 'clock',
    purpose: 'this machine and the server have the same time',
    kinds: ['clock-skew'],
    engine: 'postgres',
  },
  {
    name: 'file rights',
    purpose: 'this account can write the files of the store, and others cannot',
    kinds: ['file-rights'],
    engine: 'sqlite',
  },
  {
    name: 'prepared transactions',
    purpose: 'no prepared transaction was forgotten',
    kinds: ['prepared-transaction'],
    engine: 'postgres',
  },
];

const named = new Set(aspects.flatMap(({ kinds }) => kinds));

export const environmentChecks: readonly Check[] = [
  defineCheck({
    name: 'connection',
    purpose: 'the store can be reached',
    needs: ['engine'],
    // A kind that no aspect names is shown here rather than nowhere.
    judge: ({ engine }) => engine.findings.filter(({ kind }) => !named.has(kind)),
  }),
  ...aspects.map(({ kinds, ...aspect }) =>
    defineCheck({
      ...aspect,
      needs: ['engine'],
      judge: ({ engine }) => engine.findings.filter(({ kind }) => kinds.includes(kind)),
    }),
  ),
];

/** What the account of the database may not do and this command needs. */
export function judgeAbility({ account = 'this account', may }: Diagnosis, command: string): readonly Finding[] {
  if (may === undefined || may === null) return [];
  const words = { read: 'read', append: 'append', project: 'run projections' };
  return needsOf(command)
    .filter((ability) => !may.includes(ability))
    .map((ability) => ({
      kind: 'privileges',
      severity: 'error',
      subject: account,
      detail: `may not ${words[ability]}, which evstore ${command} needs`,
      evidence: `it may ${may.length === 0 ? 'do nothing' : may.map((each) => words[each]).join(' and ')}; connect with another account, or have a role granted to it`,
      next: 'evstore init --roles | psql -v ON_ERROR_STOP=1',
    }));
}

const appending = ['append', 'import'];
const projecting = ['run', 'rebuild', 'repair', 'swap', 'rollback', 'abort', 'gc', 'parked', 'checkpoints', 'diff'];

function needsOf(command: string): readonly Ability[] {
  if (appending.includes(command)) return ['read', 'append'];
  return projecting.includes(command) ? ['read', 'project'] : ['read'];
}

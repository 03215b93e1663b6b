/** What is asked, and of which it is known that it reads the log. */
import type { Engine } from '../../src/store/store.js';
import { rarest } from '../data/questions.js';

/** Names in a store of any length: from its middle, where nothing is first or last. */
export interface Facts {
  readonly events: number;
  readonly position: number;
  readonly id: string;
  readonly streamId: string;
  readonly correlationId: string;
  /** A correlation id of the end of the log. */
  readonly recent: string;
  /** An hour around it. */
  readonly since: string;
  readonly until: string;
  /** Of the payments, as far as they were handled. */
  readonly reached: number;
  /** A key of the read model of payments. */
  readonly paymentId: string;
}

export interface Question {
  readonly ask: (facts: Facts) => readonly string[];
  /** Exit code, if it is not 0. */
  readonly exit?: number;
  /** It may read the log or a table to its end, on both engines or on one. */
  readonly scans?: true | Engine;
  /** Milliseconds that it may take in all. */
  readonly limitMs?: number;
  /** What its output on a log of any length has. */
  readonly says?: RegExp;
}

const ask = (...words: readonly string[]): Question => ({ ask: () => words });

export const questions: readonly Question[] = [
  ask('types'),
  ask('stats'),
  ask('streams', '-n', '100'),
  ask('streams', '--prefix', 'Payment-12', '-n', '100'),
  ask('streams', '--sort', 'recent', '-n', '100'),
  ask('streams', '--category', 'Payment', '-n', '100'),
  ask('streams', '--category', 'Payment', '--sort', 'recent', '-n', '100'),
  { ...ask('streams', '--sort', 'events', '-n', '100'), scans: true },
  { ask: ({ position }) => ['show', String(position)] },
  { ask: ({ id }) => ['show', id] },
  { ask: ({ recent }) => ['trace', recent] },
  { ask: ({ id }) => ['trace', id] },
  { ask: ({ streamId }) => ['state', streamId, '--projection', 'order_summary'] },
  { ask: ({ streamId }) => ['state', streamId, '--projection', 'order_summary', '--at', '3'] },
  { ask: ({ streamId }) => ['state', streamId, '--projection', 'order_summary', '--history'] },
  ask('rows', 'payments', '-n', '100'),
  { ask: ({ paymentId }) => ['rows', 'payments', '--where', `payment_id = '${paymentId}'`, '-n', '100'] },
  { ask: ({ paymentId }) => ['rows', 'payments', paymentId] },
  { ...ask('rows', 'payments', '--where', 'amount < 0'), scans: true, exit: 6 },
  ask('rows', 'payments', '--where', 'amount < 50000', '-n', '100'),
  ask('rows', 'payments', '--count'),
  ask('read', '-n', '10'),
  { ask: ({ streamId }) => ['read', streamId] },
  ask('read', '--backwards', '-n', '10'),
  ask('read', '--type', rarest, '-n', '10'),
  ask('read', '--category', 'Payment', '-n', '10'),
  ask('tail', '--category', 'Payment', '--no-follow', '-n', '10'),
  { ask: ({ correlationId }) => ['read', '--correlation-id', correlationId], scans: true },
  { ...ask('read', '--where', 'data.total > 900', '-n', '10'), scans: true },
  { ask: ({ since, until }) => ['read', '--since', since, '--until', until, '-n', '10'], scans: 'sqlite' },
  { ask: ({ since }) => ['read', '--since', since, '-n', '10'], scans: 'sqlite' },
  { ask: ({ until }) => ['read', '--until', until, '--backwards', '-n', '10'], scans: 'sqlite' },
  ask('tail', '--no-follow', '-n', '10'),
  ask('lag'),
  { ...ask('lag', '--max-lag', '0'), exit: 1 },
  { ...ask('lag', '--max-lag', '0', '-o', 'nagios'), exit: 1 },
  ask('projections'),
  ask('checkpoints', 'list'),
  { ask: ({ position }) => ['checkpoints', 'set', 'search-indexer', '--to', String(position)] },
  { ask: ({ since }) => ['checkpoints', 'set', 'payments', '--to-time', since], scans: 'sqlite' },
  ask('checkpoints', 'history'),
  ask('parked', 'list'),
  ask('saga', 'list'),
  ask('saga', 'overdue'),
  ask('snapshots', 'list', '-n', '100'),
  ask('doctor'),
  { ask: ({ reached }) => ['wait', 'payments', '--position', String(reached)] },
  ask('explain', 'E_NOT_FOUND'),
  ask('config', 'show'),
  { ...ask('completion', 'names', '--', 'read', 'Payment-12'), limitMs: 300, says: /^Payment-12/ },
  { ...ask('completion', 'names', '--', 'read', '--type', 'Payment'), limitMs: 300, says: /^Payment/ },
];

/** Asked again when there are indexes on ids. */
export const indexed: readonly Question[] = [
  { ask: ({ id }) => ['show', id] },
  { ask: ({ correlationId }) => ['trace', correlationId] },
  { ask: ({ id }) => ['trace', id] },
  { ask: ({ correlationId }) => ['read', '--correlation-id', correlationId] },
];

/** They read the log or a table to its end, so each says so before it begins, and can be stopped. */
export const scanners: readonly Question[] = [
  ask('verify'),
  ask('export', '--to', 'events.ndjson'),
  ask('types', '--exact'),
  ask('stats', '--exact'),
  ask('rows', 'payments', '--where', 'amount < 0'),
  ask('rows', 'payments', '--count', '--exact'),
  ask('rows', 'payments', '--sort', 'amount:desc', '-n', '10'),
  ask('read', '--where', 'data.total > 5000'),
  ask('read', '--category', 'Nobody'),
  ask('read', '--since', '2030-01-01'),
  ask('tail', '--where', 'data.total > 5000', '--no-follow'),
  ask('read', '--correlation-id', 'none'),
  ask('trace', '--exact', 'none'),
  ask('streams', '--sort', 'events', '-n', '10'),
  ask('lag', '--count'),
  { ask: ({ streamId }) => ['state', streamId, '--projection', 'sales_by_day', '--exact'] },
];

export interface Asked {
  readonly url: string;
  readonly facts: Facts;
}

/**
 * Loaded into a program before it starts, it stands between that program and its database: it gives each statement the
 * name of the step it is part of, writes the steps down, and stops the process at one of them. What to do is in
 * EVSTORE_PROBE, as JSON of `Probe`.
 */
import { appendFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import Sqlite from 'better-sqlite3';
import type pg from 'pg';

/** Required as the program requires it: an import through a linked folder would be another copy of the driver. */
const driver: typeof pg = createRequire(import.meta.url)('pg');

export interface Probe {
  /** File to which every step is appended, as a line of `Traced`. */
  readonly trace?: string;
  readonly stop?: Stop;
}

export interface Stop {
  /** Name of the step, or `any`. */
  readonly step: string;
  /** The n-th of that name, from 1. */
  readonly nth: number;
  /** Counted from this step on. */
  readonly since?: string;
  /** `sent`: the server has the message, and nobody waits for the answer. SQLite knows no such moment. */
  readonly moment: 'before' | 'sent' | 'after';
  /** SIGKILL, or SIGSTOP: frozen until somebody says SIGCONT. */
  readonly signal: 'SIGKILL' | 'SIGSTOP';
}

export interface Traced {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly step: string;
  /** Of a step that moves a cursor. */
  readonly move?: Move;
  /** Events that came back, of the step `read`. */
  readonly rows?: number;
  /** Of the step `end`: the most memory the process had, in KiB. */
  readonly maxRss?: number;
}

/** Of a cursor, under a lease. */
export interface Move {
  /** Name of the checkpoint, or id of the rebuild. */
  readonly cursor: string;
  readonly token: number;
  readonly from: number;
  readonly to: number;
  /** False: it was not there any more, or not ours. */
  readonly isDone: boolean;
}

/** By the text of the statement, the first that fits. `commit` is named after the last step of its transaction. */
const steps: readonly (readonly [RegExp, string])[] = [
  [/^begin/, 'begin'],
  [/^commit/, 'commit'],
  [/^rollback/, 'rollback'],
  [/^insert into \S*evstore_rebuilds/, 'planned'],
  [/^update \S*evstore_rebuilds\s+set state = 'swapped'/, 'swapped'],
  [/^update \S*evstore_rebuilds\s+set state = [$?]/, 'state'],
  [/^update \S*evstore_rebuilds\s+set position = /, 'fill'],
  [/^update \S*evstore_rebuilds\s+set owner = null/, 'rebuild released'],
  [/^update \S*subscription_checkpoints\s+set last_position = [^;]*generation = generation \+ 1/, 'checkpoint swapped'],
  [/^update \S*subscription_checkpoints\s+set last_position = /, 'batch'],
  [/^update \S*subscription_checkpoints\s+set owner = null/, 'lease released'],
  [/^[^;]*update \S*subscription_checkpoints\b[^;]*set owner = [$?]\d/, 'lease taken'],
  [/^select last_position, [^;]*from \S*subscription_checkpoints[^;]*token = /, 'swap begun'],
  [/^create (unique )?index/, 'index'],
  [/^select count\(\*\) from/, 'verify'],
  [/alter table \S+ rename to/, 'rename'],
  [/^(copy \()?select (concat_ws\(char\(31\), lower\(id\)|id), global_position, version/, 'read'],
];

const { trace, stop } = JSON.parse(process.env.EVSTORE_PROBE ?? '{}') as Probe;
const counts = new Map<string, number>();
let isArmed = stop?.since === undefined;
/** By connection. */
const transactions = new WeakMap<object, string>();

function nameStep(connection: object, text: string, values: readonly unknown[]): string {
  const found = steps.find(([pattern]) => pattern.test(text.trimStart().toLowerCase()))?.[1] ?? 'other';
  if (found === 'begin') transactions.delete(connection);
  if (found === 'commit') return `commit ${transactions.get(connection) ?? 'other'}`;
  const step = found === 'state' ? String(plain(values)[1]) : found;
  const isTelling = !['begin', 'other', 'read', 'rollback'].includes(step);
  // The transaction that swaps does much else after it.
  if (isTelling && transactions.get(connection) !== 'swapped') transactions.set(connection, step);
  return step;
}

/** Numbered parameters of better-sqlite3 come as an object. */
function plain(values: readonly unknown[]): readonly unknown[] {
  const [first] = values;
  return typeof first === 'object' && first !== null && '1' in first ? Object.values(first) : values;
}

interface Passing {
  readonly step: string;
  readonly values: readonly unknown[];
  readonly dies: (moment: Stop['moment']) => boolean;
}

function pass(connection: object, text: string, values: readonly unknown[]): Passing {
  const step = nameStep(connection, text, values);
  const nth = count(step);
  const nthOfAll = count('any');
  const isCounted = isArmed;
  if (step === stop?.since) {
    isArmed = true;
    counts.clear();
  }
  const isHere =
    stop !== undefined && isCounted && (stop.step === 'any' ? nthOfAll : step === stop.step ? nth : 0) === stop.nth;
  return { step, values, dies: (moment) => isHere && stop.moment === moment };
}

function count(step: string): number {
  const next = (counts.get(step) ?? 0) + 1;
  counts.set(step, next);
  return next;
}

function die(): void {
  write({ at: now(), step: 'stopped' });
  process.kill(process.pid, stop?.signal ?? 'SIGKILL');
}

function write(line: Traced): void {
  if (trace !== undefined) appendFileSync(trace, `${JSON.stringify(line)}\n`);
}

function writeStep({ step, values }: Passing, result: unknown): void {
  const rows = Array.isArray(result) ? result.length : 0;
  const [cursor, token, , from, to] = plain(values);
  const isMove = step === 'batch' || step === 'fill';
  const move = { cursor: String(cursor), token: Number(token), from: Number(from), to: Number(to), isDone: rows > 0 };
  write({ at: now(), step, ...(step === 'read' && { rows }), ...(isMove && { move }) });
}

function now(): number {
  return performance.timeOrigin + performance.now();
}

type Query = (...parameters: unknown[]) => unknown;

const { query } = driver.Client.prototype as unknown as { query: Query };
(driver.Client.prototype as unknown as { query: Query }).query = function (this: object, ...parameters) {
  const [first] = parameters;
  const { text, values } = typeof first === 'string' ? { text: first, values: [] } : (first as pg.QueryConfig);
  const passing = pass(this, text, values ?? []);
  const end = (rows: unknown) => {
    writeStep(passing, rows);
    if (passing.dies('after')) die();
  };
  if (passing.dies('before')) die();
  if (isSubmitted(first)) watchRows(first, end);
  const answer = query.apply(this, parameters);
  if (passing.dies('sent')) setImmediate(die);
  if (!(answer instanceof Promise)) return answer;
  return answer.then((result: pg.QueryResult) => {
    end(result.rows);
    return result;
  });
};

/** A query that takes the messages of the server itself. */
interface Submitted {
  handleCopyData?(message: unknown): void;
  handleDataRow?(message: unknown): void;
  handleReadyForQuery(connection: unknown): void;
}

function isSubmitted(query: unknown): query is Submitted {
  return typeof query === 'object' && query !== null && 'submit' in query;
}

function watchRows(query: Submitted, end: (rows: unknown) => void): void {
  const { handleReadyForQuery } = query;
  const rows: null[] = [];
  for (const name of ['handleCopyData', 'handleDataRow'] as const) {
    const handle = query[name];
    query[name] = (message) => {
      rows.push(null);
      handle?.call(query, message);
    };
  }
  query.handleReadyForQuery = (connection) => {
    end(rows);
    handleReadyForQuery.call(query, connection);
  };
}

const { exec, prepare } = Sqlite.prototype;
Sqlite.prototype.exec = function (this: Sqlite.Database, text: string) {
  return watch(this, text, [], () => exec.call(this, text));
};
Sqlite.prototype.prepare = function (this: Sqlite.Database, text: string) {
  const statement = prepare.call(this, text);
  for (const method of ['run', 'all', 'get'] as const) {
    const original = statement[method].bind(statement) as (...values: unknown[]) => unknown;
    Object.assign(statement, {
      [method]: (...values: unknown[]) => watch(this, text, values, () => original(...values)),
    });
  }
  return statement;
} as typeof prepare;

function watch<Result>(connection: object, text: string, values: readonly unknown[], run: () => Result): Result {
  const passing = pass(connection, text, values);
  if (passing.dies('before')) die();
  const result = run();
  writeStep(passing, result);
  if (passing.dies('after') || passing.dies('sent')) die();
  return result;
}

process.once('exit', () => {
  write({ at: now(), step: 'end', maxRss: process.resourceUsage().maxRSS });
});

/** The main job as data: the commands that a user runs, in order, each with what it must print, in any environment. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { packedProgram } from '../support/package.js';
import type { Account } from '../support/postgres-server.js';

/** Where the job is done. */
export interface Place {
  /** The store, as the user names it. */
  readonly url: string;
  /** Another URL of the same store for some steps, as for an account with other privileges. */
  readonly urlOf?: (step: StepName) => string;
  /** A second, empty store. Default: a SQLite file. */
  readonly copyUrl?: string;
  /** Asks the database itself, past evstore. Default: the rows are not looked at. */
  readonly look?: (sql: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;
  readonly env?: Readonly<Record<string, string>>;
  /** The file of `node`. Default: the one that runs the tests. */
  readonly node?: string;
  /** The program. Default: the packed one, installed with its dependencies. */
  readonly program?: string;
  /** A word that this database can hold. */
  readonly word?: string;
}

/** What must happen at a step: it works, or it is refused. */
export type Outcome = 'works' | Refusal;

export interface Refusal {
  readonly exit: number;
  /** The code of the error or a part of the text, as on stderr or, for a report, on stdout. */
  readonly says: string;
}

export type StepName = (typeof steps)[number]['name'];

/** The outcome of every step that is named; every other one works. */
export type Outcomes = Partial<Readonly<Record<StepName | 'rows', Outcome>>>;

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Step {
  readonly name: string;
  readonly argv: readonly string[];
  /** Exit code when it works. Default 0. */
  readonly code?: number;
  readonly input?: string;
  /** Throws when what was printed is wrong. */
  readonly check?: (result: Result, shop: Shop) => void;
  /** A second store, to which the events of the first are copied. */
  readonly of?: 'copy';
}

interface Shop {
  readonly cwd: string;
  readonly word: string;
}

/** `WORD` in arguments and files is replaced by the word of the place. */
const steps = [
  { name: 'init', argv: ['init', '--no-config'] },
  {
    name: 'append',
    argv: ['append', 'Order-WORD', '--type', 'OrderPlaced', '--data', '{"note":"WORD","tags":["WORD",null]}'],
  },
  { name: 'append a batch', argv: ['append', 'Order-WORD', '--from', 'batch.ndjson', '--expected-version', '1'] },
  { name: 'conflict', argv: ['append', 'Order-WORD', '--type', 'X', '--expected-version', '1'], code: 4 },
  {
    name: 'import',
    argv: ['import', 'orders.ndjson', '--json'],
    check: ({ stdout }) => expect(JSON.parse(stdout)).toMatchObject({ imported: 60, known: 0 }),
  },
  {
    name: 'import again',
    argv: ['import', 'orders.ndjson', '--json'],
    check: ({ stdout }) => expect(JSON.parse(stdout)).toMatchObject({ imported: 0, known: 60 }),
  },
  { name: 'read', argv: ['read'], check: ({ stdout }) => expect(linesOf(stdout)).toHaveLength(63) },
  {
    name: 'read a stream',
    argv: ['read', 'Order-WORD'],
    check: ({ stdout }, { word }) =>
      expect(linesOf(stdout).map((line) => JSON.parse(line))).toMatchObject([
        { version: 1, data: { note: word, tags: [word, null] } },
        { version: 2, data: { paid: '12345678901234567890.10' } },
        { version: 3, type: 'OrderPacked' },
      ]),
  },
  {
    name: 'tail',
    argv: ['tail', '--no-follow', '-n', '2', '-q'],
    check: ({ stdout }) => expect(linesOf(stdout)).toHaveLength(2),
  },
  { name: 'run', argv: ['run', '--once', '--sagas'] },
  {
    name: 'append inline',
    argv: ['append', 'Order-WORD', '--type', 'OrderSent', '--inline', '--projections', 'projections/*.ts'],
  },
  { name: 'run again', argv: ['run', '--once', '--sagas'] },
  {
    name: 'sagas',
    argv: ['saga', 'list', '--json'],
    check: ({ stdout }) => {
      const { instances } = JSON.parse(stdout);
      expect(new Set(instances.map((instance: { state: string }) => instance.state))).toEqual(new Set(['completed']));
    },
  },
  { name: 'rebuild', argv: ['rebuild', 'order_totals', '--no-swap'] },
  { name: 'diff', argv: ['diff', 'order_totals', '--max-diff', '0'] },
  { name: 'swap', argv: ['swap', 'order_totals', '--yes'] },
  { name: 'rollback', argv: ['rollback', 'order_totals', '--yes'] },
  { name: 'abort', argv: ['abort', 'order_totals', '--yes'] },
  {
    name: 'rebuild all',
    argv: ['rebuild', 'order_totals', 'order_notes', 'order_states', '--verify', 'full', '--yes'],
  },
  { name: 'rebuild external', argv: ['rebuild', 'order_lines', '--yes', '--keep-old', '0s'] },
  { name: 'gc', argv: ['gc', '--yes'] },
  { name: 'lag', argv: ['lag', '--max-lag', '0'] },
  { name: 'verify', argv: ['verify'] },
  { name: 'doctor', argv: ['doctor'] },
  { name: 'export', argv: ['export', '--to', 'out.ndjson'] },
  { name: 'init a copy', argv: ['init', '--no-config'], of: 'copy' },
  { name: 'import a copy', argv: ['import', 'out.ndjson'], of: 'copy' },
  {
    name: 'export a copy',
    argv: ['export'],
    of: 'copy',
    check: ({ stdout }, { cwd }) =>
      expect(eventsOf(stdout)).toEqual(eventsOf(readFileSync(join(cwd, 'out.ndjson'), 'utf8'))),
  },
] as const satisfies readonly Step[];

/**
 * Does the main job, each step with the outcome that is expected of it.
 * @returns the folder of the user
 * @throws an assertion that names the step, and what it printed
 */
export async function doMainJob(place: Place, outcomes: Outcomes = {}): Promise<string> {
  const { word = 'Zürich' } = place;
  const cwd = makeShop(word);
  for (const step of steps as readonly (Step & { readonly name: StepName })[]) {
    const outcome = outcomes[step.name] ?? 'works';
    const url = step.of === 'copy' ? (place.copyUrl ?? 'sqlite:copy.db') : (place.urlOf?.(step.name) ?? place.url);
    const argv = step.argv.map((part) => part.replaceAll('WORD', word));
    const result = await runPacked(argv, { ...place, url, cwd });
    checkOutcome(step.name, result, outcome, step.code);
    if (outcome === 'works') step.check?.(result, { cwd, word });
  }
  if ((outcomes.rows ?? 'works') === 'works' && place.look !== undefined) await checkRows(place.look, word);
  return cwd;
}

/** @throws an assertion that names what was done, and what it printed */
export function checkOutcome(what: string, result: Result, outcome: Outcome, code = 0): void {
  const printed = `${what} ended with ${result.code}: ${result.stderr}${result.stdout.slice(0, 2000)}`;
  expect(result.code, printed).toBe(outcome === 'works' ? code : outcome.exit);
  if (outcome !== 'works') expect(result.stderr + result.stdout, printed).toContain(outcome.says);
}

export interface RunOptions extends Omit<Place, 'url' | 'urlOf' | 'copyUrl' | 'look' | 'word'> {
  /** Default: none is named. */
  readonly url?: string;
  readonly cwd: string;
  readonly input?: string;
  /** Who runs it. Default: the account of the tests. */
  readonly account?: Account;
}

/** Runs the packed program, as a script of a user does. */
export async function runPacked(argv: readonly string[], options: RunOptions): Promise<Result> {
  const { url, cwd, node = process.execPath, program = await packedProgram(), env = {}, input = '', account } = options;
  const store = url === undefined ? {} : { EVSTORE_URL: url };
  const child = spawn(node, [program, ...argv], {
    cwd,
    env: { PATH: process.env.PATH, HOME: cwd, ...store, ...env },
    ...account,
  });
  const printed = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      printed[stream] += text;
    });
  }
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  return { code, ...printed };
}

/** Makes the folder of a user: projections, a saga, and files to import. */
export function makeShop(word: string): string {
  const cwd = mkdtempSync(join(process.env.EVSTORE_TEST_SCRATCH ?? '/tmp', 'shop-'));
  for (const [folder, file] of [
    ['projections', 'projections.ts'],
    ['sagas', 'saga.ts'],
  ] as const) {
    mkdirSync(join(cwd, folder));
    copyFileSync(new URL(`shop/${file}`, import.meta.url), join(cwd, folder, file));
  }
  const batch = ['{"type":"OrderPaid","data":{"paid":"12345678901234567890.10"}}', '{"type":"OrderPacked"}'];
  writeFileSync(join(cwd, 'batch.ndjson'), `${batch.join('\n')}\n`);
  const orders = Array.from({ length: 60 }, (_, index) => {
    const type = ['OrderPlaced', 'OrderPacked', 'OrderSent'][Math.floor(index / 20)];
    return `{"streamId":"Order-${index % 20}","type":"${type}","data":{"note":"${word} ${index}"},"createdAt":"2026-03-04T05:06:07.123456Z"}\n`;
  });
  writeFileSync(join(cwd, 'orders.ndjson'), orders.join(''));
  return cwd;
}

async function checkRows(look: NonNullable<Place['look']>, word: string): Promise<void> {
  const own = `where order_id = 'Order-${word}'`;
  const [totals] = await look(
    `select events, note, cast(paid as text) as paid, cast(tags as text) as tags from order_totals ${own}`,
  );
  expect(totals).toMatchObject({ note: word, paid: '12345678901234567890.10', tags: `["${word}",null]` });
  expect(Number(totals?.events)).toBe(4);
  expect(await look(`select state from order_states ${own}`)).toEqual([{ state: 'OrderSent' }]);
  expect(await look(`select note from order_notes ${own}`)).toEqual([{ note: word }]);
  const [imported] = await look(
    `select events, note, cast(at as text) as at from order_totals where order_id = 'Order-7'`,
  );
  expect(imported).toMatchObject({ note: `${word} 47` });
  for (const table of ['order_totals', 'order_states', 'order_notes']) {
    expect(Number((await look(`select count(*) as rows from ${table}`))[0]?.rows), table).toBe(21);
  }
}

/** Positions differ from store to store. */
function eventsOf(lines: string): readonly unknown[] {
  return linesOf(lines).map((line) => ({ ...JSON.parse(line), globalPosition: undefined }));
}

export function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}

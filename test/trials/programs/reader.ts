/**
 * Reads the two tables of a projection again and again in one statement, with any program's means, until its stdin ends.
 * A line on stdin names the phase from then on. Prints `reading`, and at the end one JSON document: the waits of each phase in milliseconds, and
 * what it should not have seen. Arguments: engine, URL.
 */
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectPostgres, connectSqlite } from '../../support/raw.js';

export interface Readings {
  readonly waits: Readonly<Record<string, readonly number[]>>;
  readonly findings: readonly string[];
}

const [engine = '', url = ''] = process.argv.slice(2);
const raw = engine === 'postgres' ? await connectPostgres(url) : connectSqlite(url.replace(/^sqlite:/, ''));
const statement = `select 'order' as kind, order_id, events, made_by from swap_orders
  union all select 'sum' as kind, order_id, events, made_by from swap_sums`;
const waits: Record<string, number[]> = {};
const findings: string[] = [];
let phase = 'start';
let isOver = false;
let before = 0;

createInterface({ input: process.stdin })
  .on('line', (line) => {
    phase = line;
  })
  .on('close', () => {
    isOver = true;
  });

process.stdout.write('reading\n');
while (!isOver) {
  const during = phase;
  const startedAt = performance.now();
  try {
    const rows = await raw.query(statement);
    check(rows);
  } catch (error) {
    findings.push(`a read failed: ${error instanceof Error ? error.message : error}`);
  }
  const known = waits[during] ?? [];
  waits[during] = known;
  known.push(Math.round((performance.now() - startedAt) * 100) / 100);
  await sleep(5);
}
await raw.close();
process.stdout.write(`${JSON.stringify({ waits, findings: findings.slice(0, 20) } satisfies Readings)}\n`);

function check(rows: readonly Record<string, unknown>[]): void {
  const makers = new Set(rows.map((row) => Number(row.made_by)));
  const [orders = 0, sums = 0] = ['order', 'sum'].map((wanted) =>
    rows.reduce((sum, { kind, events }) => sum + (kind === wanted ? Number(events) : 0), 0),
  );
  if (makers.size > 1) findings.push(`torn: rows made by ${[...makers].join(' and ')}`);
  if (orders !== sums) findings.push(`torn: ${orders} events in one table, ${sums} in the other`);
  if (orders < before) findings.push(`the total went back from ${before} to ${orders}`);
  before = Math.max(before, orders);
}

/**
 * Two read models of the same events, and what they have to hold. Both count: an event that is applied twice, or not at
 * all, shows. One is folded from rows, the other by statements that add to what is there.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { RecordedEvent } from '../../src/domain/event.js';
import { newEventId } from '../../src/domain/uuid.js';
import type { History } from '../support/history.js';
import { importOf, type TrialStore } from './trial.js';

/** Names of the projections, and of their tables. */
export const models = ['counts_by_rows', 'counts_by_sql'] as const;
export type ModelName = (typeof models)[number];

/** @param workMs how long each event takes, for a kill to hit it */
export function countsCode(version = 1, workMs = 0.1): string {
  return `${importOf('sql', 'projection/define/sql-tag')}${importOf('defineProjection, defineSqlProjection', 'projection/define/definition')}
function work() {
  const end = performance.now() + ${workMs};
  while (performance.now() < end);
}
export const byRows = defineProjection({
  name: 'counts_by_rows',
  version: ${version},
  category: 'Order',
  table: { columns: { orderId: 'text', events: 'integer', amount: 'bigint' }, key: 'orderId', indexes: ['amount'] },
  on: {
    AmountAdded: (row, { data }) => {
      work();
      return { events: (row?.events ?? 0) + 1, amount: (row?.amount ?? 0) + data.amount };
    },
  },
});
export const bySql = defineSqlProjection({
  name: 'counts_by_sql',
  version: ${version},
  category: 'Order',
  tables: ['counts_by_sql'],
  create: (t) => [
    sql\`create table \${t.counts_by_sql} (order_id text primary key, events integer not null, amount bigint not null)\`,
    sql\`create index \${t.counts_by_sql.index('by_amount')} on \${t.counts_by_sql} (amount)\`,
  ],
  on: {
    AmountAdded: ({ streamId, data }, t) => {
      work();
      return sql\`
        insert into \${t.counts_by_sql} (order_id, events, amount) values (\${streamId}, 1, \${data.amount})
        on conflict (order_id) do update
          set events = \${t.counts_by_sql}.events + 1, amount = \${t.counts_by_sql}.amount + \${data.amount}\`;
    },
  },
});
`;
}

/** Ten of each order, and the order of one after the other's. */
export async function importCounts({ store }: TrialStore, history: History, events: number): Promise<void> {
  const streams = Math.max(1, Math.floor(events / 10));
  for (let made = 0; made < events; made += 500) {
    const batch = Array.from({ length: Math.min(500, events - made) }, (_, place) => ({
      streamId: `Order-${(made + place) % streams}`,
      id: newEventId(),
      type: 'AmountAdded',
      schemaVersion: 1,
      data: '{"amount":2}',
      metadata: '{}',
    }));
    const attempt = history.invoke(
      'imported',
      batch.map(({ id }) => id),
    );
    await store.log.importEvents(batch, { conflict: 'fail' });
    history.succeed(attempt);
  }
}

type Rows = Map<string, readonly [events: number, amount: number]>;

interface Snapshot {
  readonly position: number;
  readonly rows: Rows;
}

/** Looks at a store from outside, with the log as its witness. */
export class Observer {
  readonly #test: TrialStore;
  readonly #history: History;
  readonly #log: RecordedEvent[] = [];
  readonly #expected = new Map<ModelName, { position: number; next: number; rows: Rows }>();
  #readTo = 0;

  constructor(test: TrialStore, history: History) {
    this.#test = test;
    this.#history = history;
  }

  /** Events up to this position. */
  countEvents(after: number, to: number): number {
    return this.#log.filter(({ globalPosition }) => globalPosition > after && globalPosition <= to).length;
  }

  /** Every way in which a read model is not the fold of the events up to its checkpoint. */
  async look(when: string): Promise<string[]> {
    const findings: string[] = [];
    for (const model of models) {
      try {
        findings.push(...(await this.#check(model)).map((finding) => `${when}: ${model} ${finding}`));
      } catch (error) {
        findings.push(`${when}: ${model} cannot be read: ${error instanceof Error ? error.message : error}`);
      }
    }
    return findings;
  }

  /** To the end: also that it was reached, and that everybody who reads the log reads the same. */
  async lookAtEnd(): Promise<string[]> {
    const { safeHead } = await this.#test.store.log.head();
    const findings = await this.look('at the end');
    for (const model of models) {
      const position = this.#expected.get(model)?.position;
      if (position !== safeHead) findings.push(`at the end: ${model} is at ${position}, the safe head at ${safeHead}`);
    }
    this.#history.deliver('observer', this.#log);
    return findings;
  }

  async #check(model: ModelName): Promise<string[]> {
    const snapshot = await this.#snapshot(model);
    if (snapshot === undefined) return [];
    const { position, rows } = snapshot;
    const safeHead = await this.#readUpTo(position);
    this.#history.observe(model, position, Math.max(safeHead, this.#readTo));
    const expected = this.#foldTo(model, position);
    if (isDeepStrictEqual(rows, expected)) return [];
    return [`is not the fold of the events up to ${position}: ${describeDifference(rows, expected)}`];
  }

  /** Rows and checkpoint in one statement: one state of the store. Undefined before the first run. */
  async #snapshot(model: ModelName): Promise<Snapshot | undefined> {
    const { engine, raw } = this.#test;
    const list = engine === 'postgres' ? 'json_agg(json_build_array(' : 'json_group_array(json_array(';
    const known = await raw.query(`select 1 as one from evstore_projections where name = '${model}'`);
    if (known.length === 0) return undefined;
    const [row] = await raw.query(
      `select (select last_position from subscription_checkpoints where subscription_id = '${model}') as position,
              (select ${list}order_id, events, amount)) from ${model}) as listed`,
    );
    const { position, listed } = row ?? {};
    const parsed: readonly [string, number, number][] =
      typeof listed === 'string' ? JSON.parse(listed) : (listed ?? []);
    return {
      position: Number(position),
      rows: new Map(parsed.map(([id, events, amount]) => [id, [events, amount] as const])),
    };
  }

  /** The safe head may lie below what was seen for a moment, while an older transaction ends. */
  async #readUpTo(position: number): Promise<number> {
    const { log } = this.#test.store;
    for (let patience = 200; ; patience -= 1) {
      for await (const { events, upTo } of log.readAll({ after: this.#readTo })) {
        this.#log.push(...events);
        this.#readTo = upTo;
      }
      if (this.#readTo >= position || patience === 0) return (await log.head()).safeHead;
      await sleep(10);
    }
  }

  #foldTo(model: ModelName, position: number): Rows {
    const before = this.#expected.get(model);
    const fold = before === undefined || before.position > position ? { next: 0, rows: new Map() as Rows } : before;
    let { next } = fold;
    for (
      let event = this.#log[next];
      event !== undefined && event.globalPosition <= position;
      event = this.#log[next]
    ) {
      next += 1;
      if (event.type !== 'AmountAdded') continue;
      const [events, amount] = fold.rows.get(event.streamId) ?? [0, 0];
      fold.rows.set(event.streamId, [events + 1, amount + Number(JSON.parse(event.data).amount)]);
    }
    this.#expected.set(model, { position, next, rows: fold.rows });
    return fold.rows;
  }
}

function describeDifference(actual: Rows, expected: Rows): string {
  const keys = [...new Set([...actual.keys(), ...expected.keys()])];
  const wrong = keys.filter((key) => !isDeepStrictEqual(actual.get(key), expected.get(key)));
  const shown = wrong.slice(0, 3).map((key) => `${key} is ${actual.get(key)}, not ${expected.get(key)}`);
  return `${wrong.length} of ${keys.length} rows, ${shown.join('; ')}`;
}

/** Summarises what hangs on the tables of a read model, to compare it at the swap with the start of the rebuild. */
import { EvstoreError } from '../../domain/errors.js';
import type { Dependent, DerivedTable, TableFacts } from '../store.js';
import { type RawRow, toInteger, toText } from './rows.js';

/** @param isCompared false for what may change while a rebuild fills */
export function summariseFacts(facts: readonly TableFacts[], isCompared: (carried: Dependent) => boolean): string {
  const names = facts.flatMap(({ table, indexes, carried, blocking }) => [
    ...indexes.map((name) => `index ${name} on ${table}`),
    ...[...carried.filter(isCompared), ...blocking].map(({ kind, name }) => `${kind} ${name} on ${table}`),
  ]);
  return JSON.stringify(names.sort());
}

/** Returns what was added and removed between two summaries: `+ index a on b`, `- view c on b`. */
export function compareFacts(before: string, after: string): readonly string[] {
  const [old, current]: readonly string[][] = [JSON.parse(before), JSON.parse(after)];
  return [
    ...(current ?? []).filter((name) => !old?.includes(name)).map((name) => `+ ${name}`),
    ...(old ?? []).filter((name) => !current?.includes(name)).map((name) => `- ${name}`),
  ];
}

/** @throws E_UNSAFE_STORE naming what a swap cannot carry over */
export function refuseBlocking(facts: readonly TableFacts[]): void {
  const blocking = facts.flatMap(({ table, blocking }) =>
    blocking.map(({ kind, name }) => `${kind} ${name} on ${table}`),
  );
  if (blocking.length === 0) return;
  throw new EvstoreError('E_UNSAFE_STORE', `a swap would lose ${blocking.join(', ')}`, {
    why: 'It cannot be carried over to another table. Drop it, swap, and create it again.',
    details: { blocking },
  });
}

export function toDerivedTable([table, bytes]: RawRow): DerivedTable {
  return { table: toText(table), bytes: bytes === null || bytes === undefined ? null : toInteger(bytes) };
}

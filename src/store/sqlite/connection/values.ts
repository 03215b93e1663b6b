/** The values that go to SQLite and come back. */

export type { RawRow, RawValue } from '../../shared/rows.js';
export type Parameter = string | number | bigint | null;
/** A value as a snapshot returns and takes it: a whole number is a bigint, so that none is rounded. */
export type ExactValue = string | number | bigint | Buffer | null;
export type ExactRow = readonly ExactValue[];

/** Reads one state of the store; integers come as bigint. */
export interface Snapshot {
  /** Runs the statement NAME.sql of this engine. */
  ask(name: string, parameters?: readonly ExactValue[]): readonly ExactRow[];
  query(text: string, parameters?: readonly ExactValue[]): readonly ExactRow[];
  /** Returns the rows of a statement one by one; no other statement may run before the last. */
  each(text: string, parameters?: readonly ExactValue[]): Iterable<ExactRow>;
}

/** The values that go to SQLite and come back. */

export type { RawRow, RawValue } from '../../shared/rows.js';
export type Parameter = string | number | bigint | null;
/** A value as a snapshot returns and takes it: a whole number is a bigint, so that none is rounded. */
export type ExactValue = string | number | bigint | Buffer | null;
export type ExactRow = readonly ExactValue[];

/** The values that go to the server and come back. */

/** The values of a row as Postgres spells them. */
export type RawRow = readonly (string | null)[];
export type Parameter = string | number | boolean | null | readonly (string | number | boolean | null)[];

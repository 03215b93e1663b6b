/** Says which foreign key keeps tables from changing names, in the words of the user. */
import { EvstoreError } from '../../domain/errors.js';

export interface BrokenKey {
  /** Its name, or its columns where the engine keeps no name. */
  readonly constraint: string;
  /** The table whose rows refer to others, and the one they refer to, by their live names. */
  readonly child: string;
  readonly parent: string;
  /** With a comma between several. */
  readonly columns: string;
  /** The first key without a row; null when the engine does not say. */
  readonly values: string | null;
  /** The tables that would become live. */
  readonly exchanged: readonly string[];
}

export function brokenKey(key: BrokenKey, cause?: unknown): EvstoreError {
  const { constraint, child, parent, columns, values, exchanged } = key;
  const describe = (table: string) => (exchanged.includes(table) ? `the ${table} that would become live` : table);
  const what = values === null ? 'a row' : describeKey(columns, values);
  return new EvstoreError(
    'E_UNSAFE_STORE',
    `foreign key ${constraint}: ${describe(child)} refers to ${what}, which is not in ${describe(parent)}`,
    {
      why: `${describeWay(key)}, or drop the foreign key, then try again. Nothing has been changed.`,
      details: { constraint, table: child, references: parent, columns, values },
      cause,
    },
  );
}

function describeKey(columns: string, values: string): string {
  return columns.includes(',') ? `(${columns}) = (${values})` : `${columns} = ${values}`;
}

function describeWay({ child, parent, exchanged }: BrokenKey): string {
  if (!exchanged.includes(child)) return `Change or delete those rows of ${child}`;
  return exchanged.includes(parent) ? 'Correct the projection' : `Add that row to ${parent}`;
}

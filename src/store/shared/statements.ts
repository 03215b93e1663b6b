/** Statements of read models: what both engines allow, and how they name failures. */
import { EvstoreError } from '../../domain/errors.js';
import type { ColumnSpec, TableSpec } from '../../domain/read-model.js';

const commentsBefore = /^(?:[\s;]|--[^\n]*|\/\*[\s\S]*?\*\/)*/;

/** @throws E_HANDLER for a statement that begins with a forbidden word */
export function refuseForbidden(text: string, forbidden: RegExp): void {
  if (!forbidden.test(text.replace(commentsBefore, ''))) return;
  throw new EvstoreError('E_HANDLER', `a statement of the projection is refused: ${text.trim().slice(0, 60)}`, {
    why: 'It runs inside the transaction of its batch and may not end it or change the connection.',
  });
}

export function refusedWrite(cause: unknown, details: Readonly<Record<string, string>>): EvstoreError {
  return new EvstoreError('E_HANDLER', 'the database refused what the projection wrote', {
    why: `${cause instanceof Error ? cause.message : String(cause)}.`,
    details,
    cause,
  });
}

export function keyColumns(spec: TableSpec): readonly ColumnSpec[] {
  return spec.key.flatMap((name) => spec.columns.find((column) => column.name === name) ?? []);
}

/**
 * Carries what hangs on a table over to its replacement. Views, foreign keys and triggers of other tables find it by its
 * name; its own triggers, and indexes added by hand, are dropped and created again.
 */
import { EvstoreError } from '../../../domain/errors.js';
import { isDefinedIndex } from '../../../domain/names.js';
import { toText } from '../../shared/rows.js';
import type { Session } from '../connection/database.js';
import { quoteIdentifier, quoteLiteral } from '../connection/literals.js';

/** A trigger or an index. */
interface Part {
  readonly kind: string;
  readonly name: string;
  /** The statement that made it. */
  readonly text: string;
}

/** Drops from the live table the parts that the new one must have and does not have yet. */
export function takeOffParts(session: Session, live: string, incoming: string): readonly Part[] {
  const known = new Set(readParts(session, incoming).map((part) => describePart(part, incoming)));
  const columns = new Set(listColumns(session, incoming));
  const parts = readParts(session, live).filter(
    (part) =>
      !known.has(describePart(part, live)) &&
      !(part.kind === 'index' && (isDefinedIndex(live, part.name) || lacksColumn(session, part, columns))),
  );
  for (const { kind, name } of parts) session.run(`drop ${kind} ${quoteIdentifier(name)}`);
  return parts;
}

/** @throws E_UNSAFE_STORE naming a part that does not fit the new table */
export function putOnPart(session: Session, { kind, name, text }: Part): void {
  try {
    session.execute(text);
  } catch (error) {
    throw wouldBreak(`${kind} ${name}`, error);
  }
}

export function wouldBreak(what: string, cause?: unknown): EvstoreError {
  const message = cause instanceof Error ? `: ${cause.message}` : '';
  return new EvstoreError('E_UNSAFE_STORE', `a swap would break ${what}`, {
    why: `It does not fit the rebuilt table${message}. Nothing has been changed.`,
    details: { breaks: what },
    cause,
  });
}

function readParts(session: Session, table: string): readonly Part[] {
  return session
    .ask('table-parts', [table])
    .map((row) => ({ kind: toText(row[0]), name: toText(row[1]), text: toText(row[2]) }));
}

/** An index without its column is left out, as when a column is dropped. */
function lacksColumn(session: Session, { name }: Part, columns: ReadonlySet<string>): boolean {
  const needed = session.query(`pragma index_info(${quoteLiteral(name)})`).flatMap((row) => row[2] ?? []);
  return needed.some((column) => !columns.has(String(column)));
}

function listColumns(session: Session, table: string): readonly string[] {
  return session.query(`pragma table_xinfo(${quoteLiteral(table)})`).map((row) => toText(row[1]));
}

/** Returns its text without its own name and its table's. */
function describePart({ name, text }: Part, table: string): string {
  return text
    .toLowerCase()
    .replaceAll(name.toLowerCase(), '?')
    .replaceAll(table.toLowerCase(), '?')
    .replaceAll('"', '');
}

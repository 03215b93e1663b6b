/** Exchanges the names of tables within a swap or a rollback, with everything that hangs on them. */
import { EvstoreError } from '../../../domain/errors.js';
import { type BrokenKey, brokenKey } from '../../shared/broken-key.js';
import { assertNamesFree, type Exchange, oldNames, strangerAt } from '../../shared/journal.js';
import { toText } from '../../shared/rows.js';
import type { Session } from '../connection/database.js';
import { quoteIdentifier, quoteLiteral } from '../connection/literals.js';
import type { RawRow } from '../connection/values.js';
import { putOnPart, takeOffParts, wouldBreak } from './dependents.js';
import { findTables, findTaken, inspectTables } from './inspect.js';

/**
 * While the live tables are renamed, views and foreign keys keep the name of the live table. While the rebuilt tables take
 * those names, their references to each other follow. Indexes keep their names: SQLite cannot rename them.
 */
export function exchangeTables(session: Session, exchanges: readonly Exchange<string>[], check: () => void): void {
  assertKnown(session, exchanges);
  check();
  assertNamesFree(exchanges, findTaken(session, oldNames(exchanges)));
  const tables = exchanges.map(({ live }) => live);
  const carried = inspectTables(session, tables).flatMap((facts) => facts.carried);
  const views = [...new Set(carried.filter(({ kind }) => kind === 'view').map(({ name }) => name))];
  const sound = views.filter((view) => isSound(session, view));
  const written = tables.filter((table) => isWritable(session, table));
  const parts = exchanges.flatMap(({ live, outgoing, incoming }) =>
    outgoing === null ? [] : takeOffParts(session, live, incoming.name),
  );
  for (const { live, outgoing } of exchanges) {
    if (outgoing !== null) renameTable(session, live, outgoing.name);
  }
  const incoming = exchanges.map((exchange) => exchange.incoming.name);
  const isReferredTo = inspectTables(session, incoming).some((facts) => facts.carried.length > 0);
  if (isReferredTo) session.execute('pragma legacy_alter_table = off');
  for (const exchange of exchanges) renameTable(session, exchange.incoming.name, exchange.live);
  session.execute('pragma legacy_alter_table = on');
  for (const part of parts) putOnPart(session, part);
  const unwritable = written.find((table) => !isWritable(session, table));
  if (unwritable !== undefined) throw wouldBreak(`a trigger of ${unwritable}`);
  const broken = sound.find((view) => !isSound(session, view));
  if (broken !== undefined) throw wouldBreak(`view ${broken}`);
  const children = carried.filter(({ kind }) => kind === 'foreign key').map(({ name }) => name);
  for (const table of new Set([...children, ...tables])) {
    const [violation] = session.query(`pragma foreign_key_check(${quoteLiteral(table)})`);
    if (violation !== undefined) throw brokenKey({ ...readViolation(session, violation), exchanged: tables });
  }
}

/** @param violation as of foreign_key_check: child, rowid (null without one), parent, number of the key in the child */
function readViolation(session: Session, [name, rowid, parent, number]: RawRow): Omit<BrokenKey, 'exchanged'> {
  const child = toText(name);
  const columns = session
    .query(`pragma foreign_key_list(${quoteLiteral(child)})`)
    .filter(([id]) => id === number)
    .map((row) => toText(row[3]));
  const list = columns.map(quoteIdentifier).join(', ');
  const [row] =
    rowid === null
      ? []
      : session.query(`select ${list} from ${quoteIdentifier(child)} where rowid = ?`, [Number(rowid)]);
  const names = columns.join(', ');
  const constraint = `(${names}) of ${child}`;
  return { constraint, child, parent: toText(parent), columns: names, values: row?.map(String).join(', ') ?? null };
}

function isSound(session: Session, view: string): boolean {
  return canPrepare(session, `select * from ${quoteIdentifier(view)} limit 0`);
}

/** A trigger is compiled with the statement that fires it. */
function isWritable(session: Session, table: string): boolean {
  const name = quoteIdentifier(table);
  const columns = session
    .query(`pragma table_info(${quoteLiteral(table)})`)
    .map((row) => quoteIdentifier(toText(row[1])));
  return [
    `explain insert into ${name} default values`,
    `explain update ${name} set ${columns.map((column) => `${column} = ${column}`).join(', ')}`,
    `explain delete from ${name}`,
  ].every((statement) => canPrepare(session, statement));
}

function canPrepare(session: Session, statement: string): boolean {
  try {
    session.query(statement);
    return true;
  } catch {
    return false;
  }
}

/** @throws E_UNSAFE_STORE naming a broken view or trigger, which keeps SQLite from updating references */
function renameTable(session: Session, from: string, to: string): void {
  try {
    session.execute(`alter table ${quoteIdentifier(from)} rename to ${quoteIdentifier(to)}`);
  } catch (error) {
    const [, broken] =
      /^error in ((?:view|trigger) .*?)(?: after rename)?: /.exec(error instanceof Error ? error.message : '') ?? [];
    if (broken === undefined) throw error;
    throw new EvstoreError('E_UNSAFE_STORE', `${broken} is broken, so SQLite cannot rename the table ${from}`, {
      why: 'Drop or repair it, then swap. Nothing has been changed.',
      cause: error,
    });
  }
}

/**
 * The transaction has the only write lock, so the tables stay as they are.
 * @throws E_UNSAFE_STORE when a table is not the one in the journal
 */
function assertKnown(session: Session, exchanges: readonly Exchange<string>[]): void {
  const found = findTables(
    session,
    exchanges.flatMap(({ live, incoming }) => [live, incoming.name]),
  );
  for (const { live, outgoing, incoming, renew } of exchanges) {
    if (found.get(live) !== outgoing?.id) throw strangerAt(live, renew);
    if (found.get(incoming.name) !== incoming.id) throw strangerAt(incoming.name, renew);
  }
}

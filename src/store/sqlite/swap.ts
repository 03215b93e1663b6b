/** Putting rebuilt tables in the place of the live ones, and back: each one transaction. */
import { EvstoreError } from '../../domain/errors.js';
import type { Rebuild, RollbackOptions, SwapLeases, TableFacts } from '../store.js';
import type { Session } from './database.js';
import { quoteIdentifier, quoteLiteral } from './identifier.js';
import { findMarks, inspectTables, refuseBlocking, summariseFacts } from './inspect.js';
import { exchangeParked } from './parked.js';
import { lockCheckpoint } from './parts.js';
import { expectState, type Journal, type JournalTable, lockJournal, readRebuild, strangerAt } from './rebuilds.js';
import { toInteger, toOptional, toText } from './rows.js';

/** One table going out of the way and another taking its name. */
interface Exchange {
  readonly live: string;
  /** Null when nothing is live. */
  readonly outgoing: { readonly mark: string; readonly name: string } | null;
  readonly incoming: { readonly mark: string; readonly name: string };
}

/** What a projection is registered as. */
interface LiveProjection {
  readonly version: number;
  readonly codeHash: string;
  readonly target: string | null;
}

export function swap(
  journalOf: Journal,
  rebuild: Rebuild,
  leases: SwapLeases,
  options: { readonly lockTimeoutMs: number; readonly keepOldMs: number },
): Promise<Rebuild> {
  return exchangeTables(journalOf, options.lockTimeoutMs, (session) => {
    const { sql } = journalOf;
    const checkpoint = lockCheckpoint(session, sql, leases.live);
    const journal = lockJournal(session, sql, rebuild.id, leases.rebuild);
    expectState(rebuild.id, journal, ['ready']);
    if (journal.position < checkpoint.furthest) throw behind(rebuild, journal.position, checkpoint.furthest);
    const exchanges = journal.tables.map((table) => ({
      live: table.live,
      outgoing: table.liveMark === null ? null : { mark: table.liveMark, name: table.old },
      incoming: { mark: known(table, table.builtMark), name: table.built },
    }));
    session.run(sql('exchange-inlined'), [rebuild.projection, rebuild.id]);
    recognise(session, journalOf, exchanges);
    const facts = summariseFacts(inspectLive(session, journalOf, exchanges));
    if (facts !== journal.facts) throw changedFacts(rebuild, journal.facts, facts);
    exchangeNames(session, journalOf, exchanges);
    const replaced = readLive(session, journalOf, rebuild.projection);
    session.run(sql('set-rebuild-swapped'), [
      rebuild.id,
      replaced?.version ?? null,
      replaced?.codeHash ?? null,
      replaced === null ? null : checkpoint.level,
      replaced === null ? null : checkpoint.lastEventId,
      options.keepOldMs,
      checkpoint.audit,
      replaced?.target ?? null,
    ]);
    setLive(session, journalOf, rebuild.projection, journal, journal.tables);
    session.run(sql('swap-checkpoint'), [rebuild.projection, journal.position, journal.lastEventId, journal.audit]);
    exchangeParked(session, sql, rebuild.projection, rebuild.id);
    return readRebuild(session, sql, rebuild.id);
  });
}

export function rollback(
  journalOf: Journal,
  rebuild: Rebuild,
  leases: SwapLeases,
  options: RollbackOptions,
): Promise<Rebuild> {
  return exchangeTables(journalOf, options.lockTimeoutMs, (session) => {
    const { sql } = journalOf;
    const checkpoint = lockCheckpoint(session, sql, leases.live);
    const journal = lockJournal(session, sql, rebuild.id, leases.rebuild);
    expectState(rebuild.id, journal, ['swapped']);
    if (journal.old === null) throw nothingToRollBackTo(rebuild);
    const { version, codeHash, position, lastEventId } = journal.old;
    if (position === null || checkpoint.level === null) throw noLevel(rebuild, position === null);
    if (position < checkpoint.furthest && options.goBack !== true) throw behind(rebuild, position, checkpoint.furthest);
    const exchanges = journal.tables.map((table) => ({
      live: table.live,
      outgoing: { mark: known(table, table.builtMark), name: table.built },
      incoming: { mark: known(table, table.liveMark), name: table.old },
    }));
    session.run(sql('exchange-inlined'), [rebuild.projection, rebuild.id]);
    recognise(session, journalOf, exchanges);
    inspectLive(session, journalOf, exchanges);
    exchangeNames(session, journalOf, exchanges);
    const facts = summariseFacts(inspectLive(session, journalOf, exchanges));
    session.run(sql('set-rebuild-unswapped'), [
      rebuild.id,
      checkpoint.level,
      checkpoint.lastEventId,
      facts,
      checkpoint.audit,
    ]);
    setLive(session, journalOf, rebuild.projection, { version, codeHash, target: journal.oldTarget }, journal.tables);
    session.run(sql('swap-checkpoint'), [rebuild.projection, position, lastEventId, journal.audit]);
    exchangeParked(session, sql, rebuild.projection, rebuild.id);
    return readRebuild(session, sql, rebuild.id);
  });
}

function exchangeTables(
  { database }: Journal,
  lockTimeoutMs: number,
  work: (session: Session) => Rebuild,
): Promise<Rebuild> {
  return database.alteration(work, lockTimeoutMs);
}

/** Are they the ones that are meant? The transaction has the only write lock, so they stay so. */
function recognise(session: Session, { sql }: Journal, exchanges: readonly Exchange[]): void {
  const marks = findMarks(
    session,
    sql,
    exchanges.flatMap(({ live, incoming }) => [live, incoming.name]),
  );
  for (const { live, outgoing, incoming } of exchanges) {
    if (marks.get(live) !== outgoing?.mark) throw strangerAt(live);
    if (marks.get(incoming.name) !== incoming.mark) throw strangerAt(incoming.name);
  }
}

/** @throws E_UNSAFE_STORE when something hangs on a live table that cannot be carried over */
function inspectLive(session: Session, { sql }: Journal, exchanges: readonly Exchange[]): readonly TableFacts[] {
  const facts = inspectTables(
    session,
    sql,
    exchanges.map(({ live }) => live),
  );
  refuseBlocking(facts);
  return facts;
}

/**
 * Out of the way, nothing else changes: views and foreign keys go on naming the live table. Into its place, the tables
 * of the rebuild go on naming each other. Indexes keep their names: SQLite cannot rename them.
 */
function exchangeNames(session: Session, { sql }: Journal, exchanges: readonly Exchange[]): void {
  const tables = exchanges.map(({ live }) => live);
  const carried = inspectTables(session, sql, tables).flatMap((facts) => facts.carried);
  const views = [...new Set(carried.filter(({ kind }) => kind === 'view').map(({ name }) => name))];
  const sound = views.filter((view) => isSound(session, view));
  for (const { live, outgoing } of exchanges) {
    if (outgoing !== null) renameTable(session, live, outgoing.name);
  }
  const incoming = exchanges.map((exchange) => exchange.incoming.name);
  const isReferredTo = inspectTables(session, sql, incoming).some((facts) => facts.carried.length > 0);
  if (isReferredTo) session.execute('pragma legacy_alter_table = off');
  for (const exchange of exchanges) renameTable(session, exchange.incoming.name, exchange.live);
  session.execute('pragma legacy_alter_table = on');
  const broken = sound.find((view) => !isSound(session, view));
  if (broken !== undefined) throw wouldBreak(`view ${broken}`);
  const children = carried.filter(({ kind }) => kind === 'foreign key').map(({ name }) => name);
  for (const table of new Set([...children, ...tables])) {
    const [violation] = session.query(`pragma foreign_key_check(${quoteLiteral(table)})`);
    if (violation !== undefined) throw wouldBreak(`the foreign key of ${table}`);
  }
}

function isSound(session: Session, view: string): boolean {
  try {
    session.query(`select * from ${quoteIdentifier(view)} limit 0`);
    return true;
  } catch {
    return false;
  }
}

/** @throws E_UNSAFE_STORE naming the broken view or trigger beside which SQLite does not follow references */
function renameTable(session: Session, from: string, to: string): void {
  try {
    session.execute(`alter table ${quoteIdentifier(from)} rename to ${quoteIdentifier(to)}`);
  } catch (error) {
    const [, broken] =
      /^error in ((?:view|trigger) .*?)(?: after rename)?: /.exec(error instanceof Error ? error.message : '') ?? [];
    if (broken === undefined) throw error;
    throw new EvstoreError(
      'E_UNSAFE_STORE',
      `${broken} is broken, and SQLite renames no table that is referred to beside it`,
      {
        why: 'Drop it or mend it, then swap. Nothing has been changed.',
        cause: error,
      },
    );
  }
}

function readLive(session: Session, { sql }: Journal, projection: string): LiveProjection | null {
  const [row] = session.query(sql('projections'), [projection]);
  return row === undefined
    ? null
    : { version: toInteger(row[1]), codeHash: toText(row[2]), target: toOptional(row[6], toText) };
}

function setLive(
  session: Session,
  { sql }: Journal,
  projection: string,
  { version, codeHash, target }: LiveProjection,
  tables: readonly JournalTable[],
): void {
  const names = JSON.stringify(tables.map(({ live }) => live));
  session.run(sql('replace-projection'), [projection, version, codeHash, names, target]);
}

function known(table: JournalTable, mark: string | null): string {
  if (mark === null) throw strangerAt(table.live);
  return mark;
}

function behind(rebuild: Rebuild, position: number, live: number): EvstoreError {
  return new EvstoreError('E_SUPERSEDED', `rebuild ${rebuild.id} is at ${position}, behind the live table at ${live}`, {
    why: 'Readers would see their totals go back. It has to catch up first; nothing has been changed.',
    next: `evstore rebuild ${rebuild.projection} --resume`,
    details: { position, live },
  });
}

function changedFacts(rebuild: Rebuild, before: string, after: string): EvstoreError {
  const changed = listChanges(JSON.parse(before), JSON.parse(after));
  return new EvstoreError('E_UNSAFE_STORE', `what hangs on the live tables changed since rebuild ${rebuild.id} began`, {
    why: `${changed.join(', ')} came or went, and a swap would lose it. Nothing has been changed.`,
    next: `evstore rebuild ${rebuild.projection} --restart`,
    details: { changed },
  });
}

function listChanges(before: readonly TableFacts[], after: readonly TableFacts[]): readonly string[] {
  const [old, now] = [before, after].map((facts) => new Set(facts.flatMap(listParts)));
  return [...(old ?? [])].filter((part) => !now?.has(part)).concat([...(now ?? [])].filter((part) => !old?.has(part)));
}

function listParts({ table, exists, indexes, blocking }: TableFacts): readonly string[] {
  return [
    ...(exists ? [`table ${table}`] : []),
    ...indexes.map((name) => `index ${name} on ${table}`),
    ...blocking.map(({ kind, name }) => `${kind} ${name} on ${table}`),
  ];
}

function wouldBreak(what: string): EvstoreError {
  return new EvstoreError('E_UNSAFE_STORE', `a swap would break ${what}`, {
    why: 'It does not fit the rebuilt table. Nothing has been changed.',
    details: { breaks: what },
  });
}

function noLevel({ id, projection }: Rebuild, sinceSwap: boolean): EvstoreError {
  const when = sinceSwap
    ? `stood at different positions when rebuild ${id} was swapped in`
    : 'stand at different positions';
  return new EvstoreError('E_CHECK_FAILED', `the parts of ${projection} ${when}`, {
    why: sinceSwap
      ? 'There is no one position from which the replaced tables could go on.'
      : 'There is no one position from which the live tables could go on when they are swapped in again.',
    next: sinceSwap ? `evstore rebuild ${projection}` : `evstore run ${projection} --once`,
  });
}

function nothingToRollBackTo(rebuild: Rebuild): EvstoreError {
  return new EvstoreError('E_NOT_FOUND', `rebuild ${rebuild.id} replaced nothing`, {
    why: 'There was no live table before it, so there is none to go back to.',
  });
}

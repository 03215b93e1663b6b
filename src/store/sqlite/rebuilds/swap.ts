/** Putting rebuilt tables in the place of the live ones, and back: each one transaction. */
import { EvstoreError } from '../../../domain/errors.js';
import type { Rebuild, RollbackOptions, SwapLeases } from '../../store.js';
import type { Session } from '../connection/database.js';
import { toInteger, toOptional, toText } from '../connection/rows.js';
import { exchangeParked } from '../read-models/parked.js';
import { lockCheckpoint } from '../read-models/parts.js';
import { type Exchange, exchangeTables } from './exchange.js';
import { compareFacts, inspectTables, refuseBlocking, summariseFacts } from './inspect.js';
import { expectState, type Journal, type JournalTable, lockJournal, readRebuild, strangerAt } from './rebuilds.js';

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
  return switchNames(journalOf, options.lockTimeoutMs, (session) => {
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
    exchangeTables(session, journalOf, exchanges, () => {
      const changed = compareFacts(journal.facts, inspectLive(session, journalOf, exchanges));
      if (changed.length > 0) throw changedFacts(rebuild, changed);
    });
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
  return switchNames(journalOf, options.lockTimeoutMs, (session) => {
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
    exchangeTables(session, journalOf, exchanges, () => {
      inspectLive(session, journalOf, exchanges);
    });
    const facts = inspectLive(session, journalOf, exchanges);
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

function switchNames(
  { database }: Journal,
  lockTimeoutMs: number,
  work: (session: Session) => Rebuild,
): Promise<Rebuild> {
  return database.alteration(work, lockTimeoutMs);
}

/** @throws E_UNSAFE_STORE when something hangs on a live table that cannot be carried over */
function inspectLive(session: Session, { sql }: Journal, exchanges: readonly Exchange[]): string {
  const facts = inspectTables(
    session,
    sql,
    exchanges.map(({ live }) => live),
  );
  refuseBlocking(facts);
  return summariseFacts(facts);
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

function changedFacts(rebuild: Rebuild, changed: readonly string[]): EvstoreError {
  return new EvstoreError(
    'E_UNSAFE_STORE',
    `the live tables changed since rebuild ${rebuild.id}: ${changed.join(', ')}`,
    {
      why: 'A swap would lose what came (+) since the rebuild began. Nothing has been changed.',
      next: `evstore rebuild ${rebuild.projection} --restart`,
      details: { changed },
    },
  );
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

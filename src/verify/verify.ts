/** Checks that the log is intact, and that every audited subscription saw all of its events, in one pass over the log. */
import type { Finding } from '../domain/finding.js';
import { partOf } from '../domain/parts.js';
import { integrityChecks } from '../findings/checks.js';
import { findCursorFaults, hasRows } from '../findings/cursors.js';
import { examineStore } from '../findings/examine.js';
import type { Store } from '../store/store.js';
import { AuditCount, findSkipped } from './audit.js';
import { LogFaults } from './log-faults.js';
import { RefusedEvents } from './refused-events.js';

export interface VerifyOptions {
  /** Told after every slice of the log. */
  readonly progress: (position: number, head: number) => void;
  readonly signal: AbortSignal;
  /** Default: the clock. */
  readonly now?: Date;
}

export interface VerifyReport {
  readonly findings: readonly Finding[];
  readonly checked: {
    readonly events: number;
    /** The last position looked at. */
    readonly position: number;
    /** Checkpoints, and tables of rebuilds. */
    readonly cursors: number;
    /** Those of them that have an audit, and were checked for skipped events. */
    readonly audited: number;
  };
}

/** Writes nothing. @throws the signal's reason when it aborts */
export async function verifyStore(
  store: Store,
  { progress, signal, now = new Date() }: VerifyOptions,
): Promise<VerifyReport> {
  const examined = await examineStore(store, integrityChecks, now);
  const isOrdered = examined.findings.every(({ kind }) => kind !== 'broken-guard' && kind !== 'standby');
  const records = await store.projections.list();
  const cursors = await store.projections.cursors();
  const rebuilds = await store.projections.rebuilds();
  const counts = cursors.flatMap((cursor) => (cursor.audit === null ? [] : [new AuditCount(cursor, cursor.audit)]));
  const faults = new LogFaults();
  const refused = new RefusedEvents();
  let position = 0;
  for await (const slice of store.log.inspect()) {
    signal.throwIfAborted();
    faults.add(slice);
    for (const count of counts) await count.add(store.log, position, slice.upTo);
    // With the safe head told, no guard is needed to read.
    for await (const { events } of store.log.readAll({ after: position, to: slice.upTo, safeHead: slice.upTo })) {
      signal.throwIfAborted();
      for (const event of events) refused.add(event);
    }
    position = slice.upTo;
    progress(position, slice.to);
  }
  const names = new Set(records.filter(hasRows).map(({ name }) => name));
  const cursorFaults: Finding[] = [];
  for (const cursor of cursors) {
    const tally = counts.find((count) => count.cursor === cursor)?.tally;
    // Reading in order needs intact guards; the sums do not.
    const skipped = !isOrdered || tally === undefined ? undefined : await findSkipped(store.log, cursor, tally);
    const isProjection = names.has(partOf(cursor.name).projection);
    const isReplaced = rebuilds.some(({ id, state }) => id === cursor.rebuild && state === 'swapped');
    cursorFaults.push(...findCursorFaults(cursor, { head: position, isProjection, isReplaced, tally, skipped }));
  }
  return {
    findings: [...examined.findings, ...faults.findings(), ...refused.findings(), ...cursorFaults],
    checked: { events: faults.events, position, cursors: cursors.length, audited: counts.length },
  };
}

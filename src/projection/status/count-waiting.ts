/** Counts the events that wait for each subscription, where the lag only says positions. Reads that part of the log. */
import type { AuditFilter } from '../../domain/audit.js';
import type { Cursor, EventLog, Store } from '../../store/store.js';
import type { LagReport, ProjectionLag } from './lag.js';

/** Positions counted at a time: in between, signals and timers get their turn. */
const sliceLength = 100_000;

export async function countWaiting({ log, projections }: Store, report: LagReport): Promise<LagReport> {
  const cursors = await projections.cursors();
  const counted: ProjectionLag[] = [];
  for (const lag of report.projections) {
    const filter = filterOf(lag, cursors);
    const waiting = filter === undefined ? null : await countEvents(log, filter, lag.position, report.safeHead);
    counted.push({ ...lag, waiting });
  }
  return { ...report, projections: counted };
}

/** For a subscription of another program every event waits. Undefined for a projection that has not run since it was moved. */
function filterOf({ name, version }: ProjectionLag, cursors: readonly Cursor[]): AuditFilter | undefined {
  if (version === null) return {};
  return cursors.find((cursor) => cursor.name === name && cursor.rebuild === null)?.audit?.filter;
}

async function countEvents(log: EventLog, filter: AuditFilter, after: number, to: number): Promise<number> {
  let events = 0;
  for (let from = after; from < to; from += sliceLength) {
    events += (await log.tally({ after: from, to: Math.min(to, from + sliceLength) }, filter)).events;
  }
  return events;
}

/** Compares the events of a store with the shapes that a project's types were written from. */

import type { AuditFilter } from '../domain/audit.js';
import type { RecordedEvent } from '../domain/event.js';
import type { Finding } from '../domain/finding.js';
import { matches } from '../domain/matches.js';
import { categoryOf, toSnakeCase } from '../domain/names.js';
import { groupDigits } from '../domain/numbers.js';
import { shellWord } from '../domain/shell-word.js';
import { count } from '../domain/words.js';
import type { Store } from '../store/store.js';
import type { Lock } from './lock.js';
import { isOfSaga, readData } from './look.js';
import { findMisfits } from './misfit.js';
import type { Shape } from './shape.js';

export interface CheckOptions {
  /** Exclusive. */
  readonly after: number;
  /** Told after every part that was read. */
  readonly progress: (position: number, head: number) => void;
  /** @throws its reason when it aborts */
  readonly signal: AbortSignal;
}

export interface Checked {
  readonly findings: readonly Finding[];
  /** The number of events that were looked at, without those of sagas. */
  readonly events: number;
  /** Exclusive. */
  readonly after: number;
  /** Inclusive. */
  readonly to: number;
  /** Findings that are not listed, because there are too many. */
  readonly unlisted: number;
}

const mostFindings = 200;

interface Sight {
  readonly kind: string;
  readonly subject: string;
  readonly detail: string;
  readonly firstPosition: number;
  events: number;
}

/** Compares every event after a position. */
export async function checkEvents(store: Store, lock: Lock, options: CheckOptions): Promise<Checked> {
  const { after, progress, signal } = options;
  const { safeHead } = await store.log.head();
  const to = Math.max(after, safeHead);
  const shapes = new Map(lock.types.map(({ type, versions }) => [type, toShapes(versions)]));
  const sights = new Map<string, Sight>();
  let events = 0;
  let unlisted = 0;
  const see = (event: RecordedEvent) => {
    if (isOfSaga(event)) return;
    events += 1;
    for (const { kind, subject, detail } of findChanges(event, shapes.get(event.type))) {
      const key = JSON.stringify([kind, subject, detail]);
      const sight = sights.get(key);
      if (sight !== undefined) sight.events += 1;
      else if (sights.size >= mostFindings) unlisted += 1;
      else sights.set(key, { kind, subject, detail, firstPosition: event.globalPosition, events: 1 });
    }
  };
  for await (const batch of store.log.readAll({ after, to })) {
    signal.throwIfAborted();
    batch.events.forEach(see);
    progress(batch.upTo, to);
  }
  return { findings: [...sights.values()].map(toFinding), events, after, to, unlisted };
}

function toShapes(versions: Lock['types'][number]['versions']): ReadonlyMap<number, Shape> {
  return new Map(versions.map(({ version, data }) => [version, data]));
}

interface Change {
  readonly kind: string;
  readonly subject: string;
  readonly detail: string;
}

function findChanges(event: RecordedEvent, versions: ReadonlyMap<number, Shape> | undefined): readonly Change[] {
  const { type, schemaVersion } = event;
  if (versions === undefined) return [{ kind: 'new-type', subject: type, detail: 'is a new type of events' }];
  const shape = versions.get(schemaVersion);
  if (shape === undefined) {
    return [{ kind: 'new-version', subject: type, detail: `has a new schema version, ${schemaVersion}` }];
  }
  const data = readData(event.data);
  if (data === undefined)
    return [{ kind: 'too-large', subject: type, detail: 'has data that is too large to look at' }];
  const subject = versions.size === 1 ? type : `${type} version ${schemaVersion}`;
  return findMisfits(shape, data).map(({ kind, place, detail }) => ({ kind, subject, detail: `${place} ${detail}` }));
}

function toFinding({ kind, subject, detail, firstPosition, events }: Sight): Finding {
  const more = events === 1 ? '' : `, and ${count(events - 1, 'more event')}`;
  return {
    ...{ kind, subject, detail },
    severity: 'error',
    evidence: `position ${groupDigits(firstPosition)}${more}: evstore show ${firstPosition}`,
    next: 'evstore types generate',
  };
}

/** What handles events: a projection or a saga. */
export interface Handling {
  readonly name: string;
  readonly filter: AuditFilter;
}

/** The last events of a type by which its categories are known. */
const lastEvents = 20;

/** Finds the types that nothing handles, by their last events. @param ignored types that need no handler */
export async function findUnhandled(
  { statistics }: Pick<Store, 'statistics'>,
  handling: readonly Handling[],
  ignored: readonly string[],
): Promise<readonly Finding[]> {
  const isHandled = (event: RecordedEvent) => handling.some(({ filter }) => matches(filter, event));
  const findings: Finding[] = [];
  for (const { type } of await statistics.types()) {
    if (ignored.includes(type) || handling.some(({ filter }) => handlesAll(filter, type))) continue;
    const last = (await statistics.latest(type, lastEvents)).filter((event) => !isOfSaga(event));
    const event = last.find((each) => !isHandled(each));
    if (event !== undefined) findings.push(toUnhandled(event));
  }
  return findings;
}

function handlesAll({ category, types }: AuditFilter, type: string): boolean {
  return category === undefined && (types?.includes(type) ?? true);
}

function toUnhandled({ type, streamId, globalPosition }: RecordedEvent): Finding {
  return {
    kind: 'unhandled-type',
    severity: 'error',
    subject: type,
    detail: `of ${categoryOf(streamId)} is handled by no projection and no saga`,
    evidence: `position ${groupDigits(globalPosition)}: evstore show ${globalPosition}`,
    next: nextForUnhandled(type),
  };
}

function nextForUnhandled(type: string): string {
  const name = toSnakeCase(type).replaceAll('_', '-');
  const isNameable = /^[A-Za-z][A-Za-z0-9_.-]{0,99}$/.test(type) && /^[a-z][a-z0-9-]{0,39}$/.test(name);
  return isNameable
    ? `evstore scaffold projection ${name} --from-store --events ${type}`
    : `evstore types check --ignore ${shellWord(type)}`;
}

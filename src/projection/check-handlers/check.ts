/**
 * Checks that handlers are pure: runs each twice on every event and writes nothing. Only then does a rebuild make the same
 * rows as the runner and as the next rebuild.
 */
import { isDeepStrictEqual } from 'node:util';
import { EvstoreError } from '../../domain/errors.js';
import type { RecordedEvent } from '../../domain/event.js';
import { readAhead } from '../../store/shared/read-ahead.js';
import type { Store } from '../../store/store.js';
import { type RowKey, toRowKeys, toStoredRow } from '../define/columns.js';
import type { Event } from '../define/definition.js';
import { toEvent } from '../define/event.js';
import { isTableProjection, type PreparedSqlProjection, type PreparedTableProjection } from '../define/prepare.js';
import { toTableIdentifiers } from '../define/sql-tag.js';
import { handlerName, handlerOf, toStatements } from '../fold/row-fold.js';
import { Slices } from '../fold/slices.js';
import { type CheckFault, CheckFindings, type HandlerTime, type UnhandledType } from './check-findings.js';
import { watchImpurity } from './impurity.js';
import { RowSample } from './row-sample.js';

/** Not external projections: their handlers write, so they cannot be run for a check. */
export type Checkable = PreparedTableProjection | PreparedSqlProjection;

export interface CheckOptions {
  readonly store: Store;
  readonly projection: Checkable;
  readonly signal: AbortSignal;
  readonly progress: (position: number, target: number) => void;
  /** The most rows to keep in memory. */
  readonly rowLimit?: number;
}

export interface ProjectionCheck {
  /** Every event up to here was checked. */
  readonly position: number;
  /** Events it has handlers for. */
  readonly events: number;
  /** Rows that were checked, and about how many there are; null for an sql projection. */
  readonly rows: { readonly checked: number; readonly estimate: number } | null;
  /** Faults that make a rebuild unsafe. */
  readonly faults: readonly CheckFault[];
  /** Event types of its category, or of the log, without a handler; not a fault. */
  readonly unhandled: readonly UnhandledType[];
  /** The slowest first. */
  readonly handlers: readonly HandlerTime[];
  readonly safe: boolean;
}

/** The same event twice: a change that a handler makes to one shows in a comparison. */
interface Twins {
  readonly recorded: RecordedEvent;
  readonly first: Event;
  readonly second: Event;
}

/** @throws the signal's reason when it aborts */
export async function checkProjection(options: CheckOptions): Promise<ProjectionCheck> {
  const { store, projection, signal, progress, rowLimit } = options;
  const { category } = projection.filter;
  const { safeHead } = await store.log.head();
  const check = new Check(projection, new RowSample(rowLimit));
  const slices = new Slices();
  let position = 0;
  const batches = store.log.readAll({ ...(category !== undefined && { category }), to: safeHead });
  for await (const batch of readAhead(batches)) {
    for (const event of batch.events) {
      if (slices.isOver) await slices.next();
      check.add(event);
    }
    signal.throwIfAborted();
    position = batch.upTo;
    progress(position, safeHead);
  }
  return check.report(position);
}

class Check {
  readonly #projection: Checkable;
  readonly #rows: RowSample;
  readonly #findings = new CheckFindings();
  #events = 0;

  constructor(projection: Checkable, rows: RowSample) {
    this.#projection = projection;
    this.#rows = rows;
  }

  add(recorded: RecordedEvent): void {
    const projection = this.#projection;
    const { definition } = projection;
    const { on, upcasters } = definition;
    if (handlerOf<unknown>(on, recorded.type) === undefined) {
      this.#findings.addUnhandled(recorded.type);
      return;
    }
    this.#events += 1;
    const twins = this.#guard('upcasters', recorded, () => {
      return { recorded, first: toEvent(recorded, definition), second: toEvent(recorded, definition) };
    });
    if (twins === undefined) return;
    if (upcasters !== undefined && upcasters.length > 0) {
      // Handlers cannot be compared on data that differs, or that an upcaster failed to make.
      if (this.#twice('upcasters', twins, [], ({ data }) => data) === undefined) return;
      if (!isDeepStrictEqual(twins.first.data, twins.second.data)) return;
    }
    if (isTableProjection(projection)) this.#foldRows(projection, twins);
    else this.#makeStatements(projection, twins);
  }

  report(position: number): ProjectionCheck {
    const { size, estimate } = this.#rows;
    const { faults, unhandled, handlers } = this.#findings;
    return {
      position,
      events: this.#events,
      rows: isTableProjection(this.#projection) ? { checked: size, estimate } : null,
      faults,
      unhandled,
      handlers,
      safe: faults.length === 0,
    };
  }

  #foldRows(projection: PreparedTableProjection, twins: Twins): void {
    const { definition, shape } = projection;
    const { type } = twins.recorded;
    const handler = handlerOf(definition.on, type);
    const part = `on.${handlerName(definition.on, type)}`;
    for (const key of this.#keysOf(projection, twins)) {
      if (!this.#rows.holds(key.text)) continue;
      const stored = this.#rows.get(key.text);
      const copies = [stored, stored].map((row) => (row === null ? null : shape.codec.load(row)));
      const returned = this.#twice(part, twins, copies, (event, row) => handler?.(row as never, event));
      if (returned === undefined || returned.value === undefined) continue;
      this.#guard(part, twins.recorded, () => {
        this.#rows.set(key.text, returned.value === null ? null : toStoredRow(shape, key, returned.value, stored));
      });
    }
  }

  #keysOf({ definition, shape }: PreparedTableProjection, twins: Twins): readonly RowKey[] {
    const named =
      definition.key === undefined
        ? { value: twins.recorded.streamId }
        : this.#twice('key', twins, [], (event) => definition.key?.(event));
    if (named === undefined) return [];
    return this.#guard('key', twins.recorded, () => toRowKeys(shape, named.value)) ?? [];
  }

  #makeStatements({ definition }: PreparedSqlProjection, twins: Twins): void {
    const { type } = twins.recorded;
    const handler = handlerOf(definition.on, type);
    const part = `on.${handlerName(definition.on, type)}`;
    const tables = toTableIdentifiers(definition.tables, String);
    const returned = this.#twice(part, twins, [], (event) => handler?.(event, tables));
    if (returned !== undefined) this.#guard(part, twins.recorded, () => toStatements(returned.value));
  }

  /**
   * Runs work on both twins and compares the results. A change it makes to the first copy shows next to the second.
   * @returns the result; undefined when it threw
   */
  #twice(
    part: string,
    { recorded, first, second }: Twins,
    copies: readonly unknown[],
    work: (event: Event, copy: unknown) => unknown,
  ): { readonly value: unknown } | undefined {
    const found = (kind: CheckFault['kind'], message: string) => {
      this.#findings.addFault(kind, part, recorded, message);
    };
    const once = watchImpurity(() => work(first, copies[0]));
    if (part.startsWith('on.')) this.#findings.addTime(recorded.type, once.ms);
    for (const [use, kind] of once.uses) found(kind, `uses ${use}`);
    if ('error' in once.outcome) found('error', describeError(once.outcome.error));
    else if (!isDeepStrictEqual(copies[0], copies[1])) found('mutation', 'changes the row it was given');
    // Upcasters make the data that this would compare.
    if (part !== 'upcasters' && !('error' in once.outcome) && !isDeepStrictEqual(first, second)) {
      found('mutation', 'changes the event it was given');
    }
    const again = watchImpurity(() => work(second, copies[1]));
    if (!isSameOutcome(once.outcome, again.outcome)) found('unstable', 'gives another result the second time');
    return 'value' in once.outcome ? once.outcome : undefined;
  }

  /** Records an error, because a handler may return something other than a row. */
  #guard<T>(part: string, recorded: RecordedEvent, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.#findings.addFault('error', part, recorded, describeError(error));
      return undefined;
    }
  }
}

type Outcome = ReturnType<typeof watchImpurity>['outcome'];

function isSameOutcome(a: Outcome, b: Outcome): boolean {
  if ('error' in a || 'error' in b) return 'error' in a && 'error' in b;
  return isDeepStrictEqual(a.value, b.value);
}

function describeError(error: unknown): string {
  if (error instanceof EvstoreError) return error.message;
  return error instanceof Error ? `${error.name === 'Error' ? '' : `${error.name}: `}${error.message}` : String(error);
}

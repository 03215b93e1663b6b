/** Instances of sagas in memory, for tests: the promises of the port, in one process, with a clock that the test moves. */
import { isEvstoreError } from '../domain/errors.js';
import { activePhases } from '../domain/saga-phase.js';
import type {
  Claim,
  ClaimRequest,
  InstanceChange,
  InstanceCount,
  InstanceKey,
  InstanceOwner,
  InstanceRecord,
  InstancesOptions,
  OverdueCount,
  OverdueLimits,
  RecordOutcome,
  RestoredInstance,
  SagaCode,
  SagaStore,
} from '../store/store.js';
import type { MemoryLog } from './memory-log.js';

interface Held {
  record: InstanceRecord;
  process: string | null;
  claimedUntil: number;
  /** In milliseconds. */
  readonly dueAt: number | null;
}

export class MemorySagaStore implements SagaStore {
  readonly #log: MemoryLog;
  readonly #now: () => number;
  readonly #instances = new Map<string, Held>();

  constructor(log: MemoryLog, now: () => number = Date.now) {
    this.#log = log;
    this.#now = now;
  }

  async record(changes: readonly InstanceChange[]): Promise<readonly RecordOutcome[]> {
    return changes.map((change) => this.#recordOne(change));
  }

  async claim({ owner, process, ttlMs, limit, definitions }: ClaimRequest): Promise<Claim> {
    const now = this.#now();
    const due: Held[] = [];
    let nextAt = Number.POSITIVE_INFINITY;
    for (const held of this.#instances.values()) {
      if (held.dueAt === null || !definitions.some((code) => isOf(held.record, code))) continue;
      const at = Math.max(held.dueAt, held.record.owner === null ? 0 : held.claimedUntil);
      if (at <= now && due.length < limit) due.push(held);
      else nextAt = Math.min(nextAt, at);
    }
    for (const held of due) this.#hold(held, { owner, process, ttlMs });
    return {
      instances: due.map(({ record: { saga, instance, streamVersion } }) => ({ saga, instance, streamVersion })),
      nextInMs: nextAt === Number.POSITIVE_INFINITY ? null : Math.max(0, nextAt - now),
    };
  }

  async renew(owner: string, instances: readonly InstanceKey[], ttlMs: number): Promise<readonly InstanceKey[]> {
    return instances.filter((key) => {
      const held = this.#instances.get(nameOf(key));
      if (held?.record.owner !== owner) return false;
      held.claimedUntil = this.#now() + ttlMs;
      return true;
    });
  }

  async release(owner: string, instances?: readonly InstanceKey[]): Promise<void> {
    const wanted = instances === undefined ? [...this.#instances.keys()] : instances.map(nameOf);
    for (const name of wanted) {
      const held = this.#instances.get(name);
      if (held?.record.owner === owner) this.#hold(held, null);
    }
  }

  async owners(): Promise<readonly InstanceOwner[]> {
    const owners = new Map<string, InstanceOwner>();
    for (const { record, process, claimedUntil } of this.#instances.values()) {
      if (record.owner === null) continue;
      const known = owners.get(record.owner);
      const expiresInMs = Math.max(known?.expiresInMs ?? 0, claimedUntil - this.#now());
      owners.set(record.owner, { owner: record.owner, process, instances: (known?.instances ?? 0) + 1, expiresInMs });
    }
    return [...owners.values()];
  }

  async findWaiting(saga: string, keys: readonly string[]): Promise<readonly InstanceRecord[]> {
    const wanted = new Set(keys);
    return this.#records().filter((each) => each.saga === saga && each.waitKey !== null && wanted.has(each.waitKey));
  }

  async find(key: InstanceKey): Promise<InstanceRecord | undefined> {
    return this.#instances.get(nameOf(key))?.record;
  }

  async list(options: InstancesOptions): Promise<readonly InstanceRecord[]> {
    const { saga, phases, prefix = '', notMovedForMs, dueForMs, overdue, sort = 'moved', limit } = options;
    const now = this.#now();
    const isBefore = (at: string | null, ms: number | undefined) =>
      ms === undefined || (at !== null && Date.parse(at) <= now - ms);
    return this.#records()
      .filter((each) => (saga === undefined || each.saga === saga) && (phases?.includes(each.phase) ?? true))
      .filter((each) => each.instance.startsWith(prefix))
      .filter((each) => overdue === undefined || this.#isOverdue(each, overdue))
      .filter((each) => isBefore(each.movedAt, notMovedForMs) && isBefore(each.dueAt, dueForMs))
      .sort((a, b) => (sort === 'moved' ? b.movedAt.localeCompare(a.movedAt) : a.movedAt.localeCompare(b.movedAt)))
      .slice(0, limit);
  }

  async count(saga?: string): Promise<readonly InstanceCount[]> {
    const counts = new Map<string, InstanceCount>();
    for (const { saga: name, sagaVersion: version, definition, phase, since, step } of this.#records()) {
      if (saga !== undefined && name !== saga) continue;
      const place = JSON.stringify([name, version, definition, phase]);
      const known = counts.get(place);
      const oldest = known?.oldestSince ?? since;
      const oldestSince = step === null ? null : oldest < since ? oldest : since;
      counts.set(place, {
        saga: name,
        version,
        definition,
        phase,
        instances: (known?.instances ?? 0) + 1,
        oldestSince,
      });
    }
    return [...counts.values()];
  }

  async countOverdue(limits: OverdueLimits): Promise<readonly OverdueCount[]> {
    const counts = new Map<string, number>();
    for (const record of this.#records()) {
      if (this.#isOverdue(record, limits)) counts.set(record.saga, (counts.get(record.saga) ?? 0) + 1);
    }
    return [...counts].map(([saga, instances]) => ({ saga, instances }));
  }

  #isOverdue(record: InstanceRecord, { unheldMs, heldMs, stillMs = Number.POSITIVE_INFINITY }: OverdueLimits): boolean {
    const { phase, error, dueAt, movedAt, owner } = record;
    const now = this.#now();
    const still = now - Date.parse(movedAt);
    const dueFor = dueAt === null ? Number.NEGATIVE_INFINITY : now - Date.parse(dueAt);
    const isHeld = owner !== null && (this.#instances.get(nameOf(record))?.claimedUntil ?? 0) > now;
    if (phase === 'compensation-failed' || (phase === 'compensating' && error !== null)) return true;
    if ((dueFor >= unheldMs && !isHeld) || (dueFor >= heldMs && still >= heldMs && isHeld)) return true;
    return activePhases.some((each) => each === phase) && still >= stillMs;
  }

  async restore(rows: readonly RestoredInstance[]): Promise<void> {
    for (const { row, streamVersion, ...times } of rows) {
      const name = nameOf(row);
      const known = this.#instances.get(name);
      if (known !== undefined && known.record.streamVersion >= streamVersion) continue;
      const { due, ...facts } = row;
      const dueAt = this.#timeOf(due);
      const record = { ...facts, streamVersion, ...times, dueAt: writeTime(dueAt), owner: null };
      this.#instances.set(name, { record, process: null, claimedUntil: 0, dueAt });
    }
  }

  #records(): readonly InstanceRecord[] {
    return [...this.#instances.values()].map(({ record }) => record);
  }

  #recordOne({ streamId, version, events, row, holder }: InstanceChange): RecordOutcome {
    try {
      const appended = this.#log.appendNow(streamId, events, version);
      const place = { version: appended.version, globalPosition: appended.globalPosition };
      if (appended.deduplicated) return { kind: 'known', ...place };
      this.#write(row, appended.version, holder);
      return { kind: 'recorded', ...place };
    } catch (error) {
      if (!isEvstoreError(error) || !['E_VERSION_CONFLICT', 'E_PARTIAL_DUPLICATE'].includes(error.code)) throw error;
      return { kind: 'conflict', actualVersion: Number(error.details.actual ?? 0) };
    }
  }

  #write({ due, ...row }: InstanceChange['row'], streamVersion: number, holder: InstanceChange['holder']): void {
    const now = new Date(this.#now()).toISOString();
    const before = this.#instances.get(nameOf(row));
    const isSamePlace = before?.record.step === row.step && before.record.phase === row.phase;
    const dueAt = this.#timeOf(due);
    const record: InstanceRecord = {
      ...row,
      streamVersion,
      startedAt: before?.record.startedAt ?? now,
      since: isSamePlace ? before.record.since : now,
      movedAt: now,
      dueAt: writeTime(dueAt),
      owner: before?.record.owner ?? null,
    };
    const held = { record, process: before?.process ?? null, claimedUntil: before?.claimedUntil ?? 0, dueAt };
    this.#instances.set(nameOf(row), held);
    if (holder !== undefined) this.#hold(held, holder);
  }

  #hold(held: Held, holder: { owner: string; process: string | null; ttlMs: number } | null): void {
    held.record = { ...held.record, owner: holder?.owner ?? null };
    held.process = holder?.process ?? null;
    held.claimedUntil = holder === null ? 0 : this.#now() + holder.ttlMs;
  }

  #timeOf(due: InstanceChange['row']['due']): number | null {
    if (due === null) return null;
    return 'at' in due ? Date.parse(due.at) : this.#now() + due.inMs;
  }
}

function writeTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

function nameOf({ saga, instance }: InstanceKey): string {
  return JSON.stringify([saga, instance]);
}

function isOf(record: InstanceRecord, { saga, version, definition }: SagaCode): boolean {
  return record.saga === saga && record.sagaVersion === version && record.definition === definition;
}

/** Instances of sagas: their facts and their rows in one transaction, and who works on them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { EvstoreError } from '../../../domain/errors.js';
import { toInteger, toText } from '../../shared/rows.js';
import {
  type InstancesDialect,
  judgeChange,
  planInstances,
  restoredTimes,
  toChangeState,
  toClaimedInstance,
  toGivenInstance,
  toInstanceCount,
  toInstanceKey,
  toInstanceOwner,
  toInstanceRecord,
  toOverdueCount,
  versionAfter,
} from '../../shared/sagas.js';
import type { InstanceChange, InstanceKey, InstanceRecord, RecordOutcome, SagaCode, SagaStore } from '../../store.js';
import type { Database } from '../connection/database.js';
import { isConflict, isConnectionLost, isHole, isUnsent } from '../connection/errors.js';
import type { Parameter } from '../connection/values.js';

/** How long transient faults are retried. */
const timeoutMs = 30_000;
const firstWaitMs = 10;
const longestWaitMs = 1000;

const dialect: InstancesDialect = {
  place: (place) => `$${place}`,
  ago: (place) => `clock_timestamp() - $${place}::double precision * interval '1 millisecond'`,
};

export function openSagaStore(database: Database): SagaStore {
  const select = async (query: Parameters<typeof planInstances>[1]): Promise<readonly InstanceRecord[]> => {
    const { text, parameters } = planInstances(database.sql('instances'), query, dialect);
    return (await database.query(text, parameters)).map(toInstanceRecord);
  };
  return {
    record: (changes) => record(database, changes),
    async claim({ owner, process, ttlMs, limit, definitions }) {
      database.assertWritable();
      const codes = codeColumns(definitions);
      const claimed = await database.ask('claim-instances', [owner, process, ttlMs, limit, ...codes]);
      const [next] = await database.ask('next-due', codes);
      const nextInMs = next?.[0] ?? null;
      return { instances: claimed.map(toClaimedInstance), nextInMs: nextInMs === null ? null : toInteger(nextInMs) };
    },
    async renew(owner, instances, ttlMs) {
      database.assertWritable();
      if (instances.length === 0) return [];
      return (await database.ask('renew-claims', [owner, ttlMs, ...keyColumns(instances)])).map(toInstanceKey);
    },
    async release(owner, instances) {
      database.assertWritable();
      await database.ask('release-claims', [
        owner,
        ...(instances === undefined ? [null, null] : keyColumns(instances)),
      ]);
    },
    owners: async () => (await database.ask('instance-owners')).map(toInstanceOwner),
    findWaiting: (saga, waitKeys) => select({ saga, waitKeys }),
    find: async (key) => (await select(key))[0],
    list: ({ sort = 'moved', ...options }) => select({ ...options, sort }),
    count: async (saga) => (await database.ask('count-instances', [saga ?? null])).map(toInstanceCount),
    async countOverdue(overdue) {
      const { text, parameters } = planInstances(database.sql('count-overdue'), { overdue }, dialect);
      return (await database.query(text, parameters)).map(toOverdueCount);
    },
    async restore(rows) {
      database.assertWritable();
      if (rows.length === 0) return;
      const given = rows.map((each) => {
        const [startedAt, since, movedAt] = restoredTimes(each);
        return { ...toGivenInstance(each.row, each.streamVersion), startedAt, since, movedAt };
      });
      await database.ask('restore-instances', [JSON.stringify(given)]);
    },
  };
}

/** Inserts first, and looks for what is in the way only when that failed. */
async function record(database: Database, changes: readonly InstanceChange[]): Promise<readonly RecordOutcome[]> {
  database.assertWritable();
  const outcomes = new Map<InstanceChange, RecordOutcome>();
  const deadline = Date.now() + timeoutMs;
  let isOutcomeUnknown = false;
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    const open = changes.filter((change) => !outcomes.has(change));
    if (open.length === 0) return changes.flatMap((change) => outcomes.get(change) ?? []);
    let fault: unknown;
    try {
      if (await attempt(database, open, outcomes, deadline)) continue;
    } catch (error) {
      if (!database.mayRetry(error)) throw error;
      if (isConnectionLost(error) && !isUnsent(error)) isOutcomeUnknown = true;
      fault = error;
    }
    const pauseMs = waitMs * (0.5 + Math.random());
    if (Date.now() + pauseMs >= deadline) throw outOfTime(open, isOutcomeUnknown, fault);
    await sleep(pauseMs);
  }
}

/** Returns false when rivals got in the way, and nothing new is known. */
async function attempt(
  database: Database,
  open: readonly InstanceChange[],
  outcomes: Map<InstanceChange, RecordOutcome>,
  deadline: number,
): Promise<boolean> {
  try {
    const rows = await database.ask('record-facts', factColumns(open), deadline - Date.now());
    const positions = new Map(rows.map((row) => [`${toInteger(row[1])} ${toText(row[0])}`, toInteger(row[2])]));
    for (const change of open) {
      const version = versionAfter(change);
      const globalPosition = positions.get(`${version} ${change.streamId}`) ?? 0;
      outcomes.set(change, { kind: 'recorded', version, globalPosition });
    }
    return true;
  } catch (error) {
    if (!isConflict(error) && !isHole(error)) throw error;
  }
  const parameters = [open.map(({ streamId }) => streamId), open.map(({ events }) => events.at(-1)?.id ?? null)];
  const states = (await database.ask('record-state', parameters, deadline - Date.now())).map(toChangeState);
  const before = outcomes.size;
  for (const [place, change] of open.entries()) {
    const state = states[place];
    const outcome = state && judgeChange(change, state);
    if (outcome !== undefined) outcomes.set(change, outcome);
  }
  return outcomes.size > before;
}

/** Parameters of record-facts.sql. In one order of streams, so that two processes do not lock each other out. */
function factColumns(changes: readonly InstanceChange[]): readonly Parameter[] {
  const ordered = changes.toSorted((a, b) => (a.streamId < b.streamId ? -1 : 1));
  const facts = ordered.flatMap(({ streamId, version, events }) =>
    events.map((event, place) => ({ streamId, version: version + 1 + place, event })),
  );
  const rows = ordered.map((change) => {
    const { owner, process, ttlMs } = change.holder ?? { owner: null, process: null, ttlMs: null };
    const leaves = change.holder === undefined;
    return { ...toGivenInstance(change.row, versionAfter(change)), leaves, owner, process, ttlMs };
  });
  return [
    facts.map(({ streamId }) => streamId),
    facts.map(({ version }) => version),
    facts.map(({ event }) => event.id),
    facts.map(({ event }) => event.type),
    facts.map(({ event }) => event.schemaVersion),
    facts.map(({ event }) => event.data),
    facts.map(({ event }) => event.metadata),
    JSON.stringify(rows),
  ];
}

function codeColumns(codes: readonly SagaCode[]): readonly Parameter[] {
  return [
    codes.map(({ saga }) => saga),
    codes.map(({ version }) => version),
    codes.map(({ definition }) => definition),
  ];
}

function keyColumns(keys: readonly InstanceKey[]): readonly Parameter[] {
  return [keys.map(({ saga }) => saga), keys.map(({ instance }) => instance)];
}

function outOfTime(open: readonly InstanceChange[], isOutcomeUnknown: boolean, fault: unknown): unknown {
  const streams = open.map(({ streamId }) => streamId);
  if (isOutcomeUnknown) {
    return new EvstoreError('E_OUTCOME_UNKNOWN', 'connection lost: facts of sagas may or may not have been committed', {
      why: 'No answer came after the statement was sent. The instances continue from what their streams hold.',
      details: { streams },
      cause: fault,
    });
  }
  if (fault !== undefined) return fault;
  return new EvstoreError('E_TIMEOUT', 'could not record facts of sagas in time', {
    why: 'Other programs kept appending to the streams of the instances.',
    details: { streams },
  });
}

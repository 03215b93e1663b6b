/** Instances of sagas: their facts and their rows in one transaction, and who works on them. */
import { toInteger, toOptional, toText } from '../../shared/rows.js';
import {
  type GivenInstance,
  type InstancesDialect,
  judgeChange,
  planInstances,
  restoredTimes,
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
import type { Database, Session } from '../connection/database.js';
import type { Parameter } from '../connection/values.js';
import { eventColumns } from '../log/append.js';

const dialect: InstancesDialect = {
  place: (place) => `?${place}`,
  ago: (place) => `strftime('%Y-%m-%dT%H:%M:%f', 'now', '-' || (?${place} / 1000.0) || ' seconds') || '000Z'`,
};

export function openSagaStore(database: Database): SagaStore {
  const select = (query: Parameters<typeof planInstances>[1]): Promise<readonly InstanceRecord[]> => {
    const { text, parameters } = planInstances(database.sql('instances'), query, dialect);
    return database.read((session) => session.query(text, parameters).map(toInstanceRecord));
  };
  return {
    record: (changes) => record(database, changes),
    async claim({ owner, process, ttlMs, limit, definitions }) {
      database.assertWritable();
      const codes = codesOf(definitions);
      return database.transaction((session) => {
        const due = definitions
          .flatMap(({ saga, version, definition }) => session.ask('due-instances', [saga, version, definition, limit]))
          .sort((a, b) => (toText(a[2]) < toText(b[2]) ? -1 : 1))
          .slice(0, limit);
        const keys = keysOf(due.map(toInstanceKey));
        const claimed = due.length === 0 ? [] : session.ask('claim-instances', [owner, process, ttlMs / 1000, keys]);
        const [next] = session.ask('next-due', [codes]);
        return { instances: claimed.map(toClaimedInstance), nextInMs: toOptional(next?.[0], toInteger) };
      });
    },
    async renew(owner, instances, ttlMs) {
      database.assertWritable();
      if (instances.length === 0) return [];
      const parameters = [owner, ttlMs / 1000, keysOf(instances)];
      return database.transaction((session) => session.ask('renew-claims', parameters).map(toInstanceKey));
    },
    async release(owner, instances) {
      database.assertWritable();
      const parameters = [owner, instances === undefined ? null : keysOf(instances)];
      await database.transaction((session) => session.ask('release-claims', parameters));
    },
    owners: () => database.read((session) => session.ask('instance-owners').map(toInstanceOwner)),
    findWaiting: (saga, waitKeys) => select({ saga, waitKeys }),
    find: async (key) => (await select(key))[0],
    list: ({ sort = 'moved', ...options }) => select({ ...options, sort }),
    count: (saga) => database.read((session) => session.ask('count-instances', [saga ?? null]).map(toInstanceCount)),
    async countOverdue(overdue) {
      const { text, parameters } = planInstances(database.sql('count-overdue'), { overdue }, dialect);
      return database.read((session) => session.query(text, parameters).map(toOverdueCount));
    },
    async restore(rows) {
      database.assertWritable();
      await database.transaction((session) => {
        for (const each of rows) {
          const given = toGivenInstance(each.row, each.streamVersion);
          session.ask('restore-instance', [...instanceColumns(given), ...restoredTimes(each)]);
        }
      });
    },
  };
}

/** A transaction has the only write lock: what is in the way shows before anything is written. */
async function record(database: Database, changes: readonly InstanceChange[]): Promise<readonly RecordOutcome[]> {
  database.assertWritable();
  return database.transaction((session) => changes.map((change) => recordOne(session, change)));
}

function recordOne(session: Session, change: InstanceChange): RecordOutcome {
  const { streamId, events, holder } = change;
  const actualVersion = toInteger(session.ask('stream-version', [streamId])[0]?.[0]);
  const [known] = session.ask('known-fact', [streamId, events.at(-1)?.id.toLowerCase() ?? null]);
  const stored = known && { version: toInteger(known[0]), globalPosition: toInteger(known[1]) };
  const outcome = judgeChange(change, { actualVersion, stored });
  if (outcome !== undefined) return outcome;
  const statement = session.sql('append');
  let globalPosition = 0;
  for (const [place, event] of events.entries()) {
    const columns = eventColumns(streamId, { ...event, streamType: 'saga' }, actualVersion + 1 + place);
    globalPosition = toInteger(Number(session.run(statement, columns).lastInsertRowid));
  }
  const version = versionAfter(change);
  session.ask('record-instance', [
    ...instanceColumns(toGivenInstance(change.row, version)),
    holder?.owner ?? null,
    holder?.process ?? null,
    holder === undefined || holder === null ? null : holder.ttlMs / 1000,
    holder === undefined ? 1 : 0,
  ]);
  return { kind: 'recorded', version, globalPosition };
}

/** Parameters 1 to 15 of record-instance.sql and restore-instance.sql. */
function instanceColumns(given: GivenInstance): readonly Parameter[] {
  return [
    given.saga,
    given.instance,
    given.sagaVersion,
    given.definition,
    given.streamVersion,
    given.phase,
    given.step,
    given.attempt,
    given.triggerPosition,
    given.correlationId,
    given.error,
    given.reason,
    given.waitKey,
    given.dueAt,
    given.dueInMs === null ? null : given.dueInMs / 1000,
  ];
}

function codesOf(codes: readonly SagaCode[]): string {
  return JSON.stringify(codes.map(({ saga, version, definition }) => [saga, version, definition]));
}

function keysOf(keys: readonly InstanceKey[]): string {
  return JSON.stringify(keys.map(({ saga, instance }) => [saga, instance]));
}

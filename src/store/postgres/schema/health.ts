/** Finds what makes a store unsafe or slow without breaking it. Everything is read from catalogs and statistics. */
import { formatDuration } from '../../../domain/duration.js';
import type { Finding } from '../../../domain/finding.js';
import { groupDigits } from '../../../domain/numbers.js';
import { shellWord } from '../../../domain/shell-word.js';
import { toInteger, toText } from '../../shared/rows.js';
import type { Database } from '../connection/database.js';
import type { RawRow } from '../connection/values.js';

/** Fewer dead rows than this cost little. */
const fewDeadRows = 10_000;
/** A clock that is wrong by less than this changes no lease or relative time noticeably. */
const toleratedMs = 2_000;

export async function findHealthFaults(database: Database): Promise<readonly Finding[]> {
  const { schema } = database;
  // After the first statement, so that the round trip has no connecting in it.
  const invalid = await database.ask('invalid-indexes', [schema]);
  const dead = await database.ask('dead-rows', [schema, fewDeadRows]);
  const before = Date.now();
  const [clock] = await database.ask('server-clock');
  const after = Date.now();
  return [
    ...judgeEncryption(database),
    ...invalid.map(judgeInvalidIndex),
    ...dead.map(judgeDeadRows),
    ...judgeClock(toInteger(clock?.[0]), before, after),
  ];
}

/** What crosses a network without encryption can be read there, the password too. */
export function judgeEncryption({
  isEncrypted,
  isLocal,
  location,
}: Pick<Database, 'isEncrypted' | 'isLocal' | 'location'>): readonly Finding[] {
  if (isEncrypted || isLocal) return [];
  const detail = 'is not encrypted, and the server is not on this machine: others on the network can read events';
  const evidence =
    'add sslmode=verify-full to the URL; if the server refuses it, it has to be given a certificate first';
  const separator = location.includes('?') ? '&' : '?';
  const next = `evstore doctor --store ${shellWord(`${location}${separator}sslmode=verify-full`)}`;
  return [{ kind: 'plain-connection', severity: 'warning', subject: 'connection', detail, evidence, next }];
}

function judgeInvalidIndex(row: RawRow): Finding {
  const [index, table, mayBeUnderWay] = [toText(row[0]), toText(row[1]), row[2] === 't'];
  const detail = `on ${table} is invalid: writes keep it, no query uses it, and a rebuild of that table is refused`;
  if (mayBeUnderWay) {
    const evidence = 'an index of this database is being made now, perhaps this one';
    return { kind: 'invalid-index', severity: 'note', subject: index, detail, evidence, next: null };
  }
  const evidence = 'making it concurrently failed half-way';
  const next = `psql -c ${shellWord(`reindex index concurrently ${index}`)}`;
  return { kind: 'invalid-index', severity: 'warning', subject: index, detail, evidence, next };
}

function judgeDeadRows(row: RawRow): Finding {
  const [table, dead, live] = [toText(row[0]), toInteger(row[1]), toInteger(row[2])];
  return {
    kind: 'dead-rows',
    severity: 'warning',
    subject: table,
    detail: `has ~${groupDigits(dead)} dead rows and ~${groupDigits(live)} live ones: autovacuum does not keep up`,
    evidence: 'a transaction that stays open, or a replication slot, keeps dead rows from being removed',
    next: `psql -c ${shellWord(`vacuum (analyze) ${table}`)}`,
  };
}

/** @param server the time of the server, read between `before` and `after` of this machine; all in milliseconds */
export function judgeClock(server: number, before: number, after: number): readonly Finding[] {
  const skew = server > after ? server - after : Math.min(0, server - before);
  if (Math.abs(skew) < toleratedMs) return [];
  const detail = `is ${formatDuration(Math.abs(skew))} ${skew > 0 ? 'behind' : 'ahead of'} that of the server: relative times, such as --since 15m and the age of lag, are wrong by that much`;
  const evidence = 'leases are not affected: the server alone judges when they end';
  return [
    {
      kind: 'clock-skew',
      severity: 'warning',
      subject: 'the clock of this machine',
      detail,
      evidence,
      next: 'timedatectl status',
    },
  ];
}

/** Diagnoses the server, its settings and this account. */
import type { Finding } from '../../../domain/finding.js';
import { shellWord } from '../../../domain/shell-word.js';
import { toInteger, toText } from '../../shared/rows.js';
import type { Diagnosis, Fact } from '../../store.js';
import type { Database } from '../connection/database.js';
import { quoteIdentifier } from '../connection/literals.js';
import type { RawRow } from '../connection/values.js';

const oldestServer = 140_000;
/** A prepared transaction older than this was abandoned. */
const patienceSeconds = 60;

interface Server {
  readonly version: string;
  readonly versionNumber: number;
  readonly account: string;
  readonly isSuperuser: boolean;
  readonly isStandby: boolean;
  readonly fsync: string;
  readonly fullPageWrites: string;
  readonly synchronousCommit: string;
  readonly isolation: string;
  readonly isReadOnly: boolean;
  readonly maxPrepared: number;
  /** Null without a schema, like the following. */
  readonly mayRead: boolean | null;
  readonly mayAppend: boolean | null;
  /** To update, delete or truncate events, to choose positions, or to remove what prevents it. */
  readonly mayChange: boolean | null;
  readonly mayProject: boolean | null;
  /** Row-level security would hide events. */
  readonly isFiltered: boolean;
}

export async function diagnose(database: Database): Promise<Diagnosis> {
  const [row = []] = await database.ask('diagnosis');
  const server = toServer(row);
  const prepared = await database.ask('prepared-transactions');
  const findings = [...judgeServer(server), ...judgeAccount(server), ...prepared.map(judgePrepared)];
  return { facts: describe(server), findings };
}

function describe(server: Server): readonly Fact[] {
  const { fsync, fullPageWrites, synchronousCommit } = server;
  const able = [
    [server.mayRead, 'read'],
    [server.mayAppend, 'append'],
    [server.mayProject, 'run projections'],
    [server.mayChange, 'change or forge events'],
  ].flatMap(([may, what]) => (may === true ? [String(what)] : []));
  return [
    { name: 'server', value: `Postgres ${server.version}${server.isStandby ? ', a standby' : ''}` },
    { name: 'account', value: `${server.account}${server.isSuperuser ? ', a superuser' : ''}` },
    ...(server.mayRead === null ? [] : [{ name: 'may', value: able.join(', ') || 'nothing' }]),
    {
      name: 'durability',
      value: `fsync ${fsync}, full_page_writes ${fullPageWrites}, synchronous_commit ${synchronousCommit}`,
    },
    { name: 'isolation', value: server.isolation },
    { name: 'max_prepared_transactions', value: String(server.maxPrepared) },
  ];
}

function judgeServer(server: Server): readonly Finding[] {
  const findings: Finding[] = [];
  const add = (severity: Finding['severity'], kind: string, detail: string, next: string | null) =>
    findings.push({ kind, severity, subject: 'server', detail, next });
  if (server.versionNumber < oldestServer) {
    add('error', 'old-server', `is Postgres ${server.version}, and 14 is the oldest that works`, null);
  }
  if (server.fsync === 'off') {
    add('error', 'lost-writes', 'fsync is off: a crash can lose or damage what was acknowledged', setOn('fsync'));
  }
  if (server.fullPageWrites === 'off') {
    const detail = 'full_page_writes is off: a crash can leave half-written pages';
    add('error', 'lost-writes', detail, setOn('full_page_writes'));
  }
  if (server.synchronousCommit === 'off') {
    const detail = 'synchronous_commit is off: a crash loses the last appends, acknowledged or not';
    add('warning', 'lost-writes', detail, setOn('synchronous_commit'));
  }
  if (server.isolation !== 'read committed') {
    const change = `alter role ${quoteIdentifier(server.account)} set default_transaction_isolation to 'read committed'`;
    const detail = `the default isolation level of ${server.account} is ${server.isolation}: ordered reads are refused`;
    add('error', 'isolation', detail, `psql -c ${shellWord(change)}`);
  }
  if (server.isReadOnly && !server.isStandby) {
    const detail = `the transactions of ${server.account} are read-only: nothing can be appended`;
    add('warning', 'read-only', detail, `psql -c ${shellWord('show default_transaction_read_only')}`);
  }
  return findings;
}

function judgeAccount({ account, isFiltered, mayRead, mayAppend, mayChange, isSuperuser }: Server): readonly Finding[] {
  const next = 'evstore init --roles';
  if (isFiltered) {
    const detail = 'is subject to row-level security on events, which hides rows: no command works';
    const change = `psql -c ${shellWord(`alter role ${quoteIdentifier(account)} bypassrls`)}`;
    return [{ kind: 'row-security', severity: 'error', subject: account, detail, next: change }];
  }
  if (mayRead === false) {
    const detail = 'may not read events, evstore_meta and evstore_migrations: no command works';
    return [{ kind: 'privileges', severity: 'error', subject: account, detail, next }];
  }
  const readsOnly: Finding[] =
    mayAppend === false
      ? [{ kind: 'privileges', severity: 'note', subject: account, detail: 'may read, but not append', next }]
      : [];
  if (mayChange !== true) return readsOnly;
  const reason = isSuperuser ? 'is a superuser' : 'owns events, or was granted more than INSERT on its columns';
  const detail = `${reason}: it can remove what keeps events immutable`;
  return [...readsOnly, { kind: 'powerful-account', severity: 'warning', subject: account, detail, next }];
}

function judgePrepared(row: RawRow): Finding {
  const [gid, owner, seconds] = [toText(row[0]), toText(row[1]), toInteger(row[2])];
  return {
    kind: 'prepared-transaction',
    severity: seconds > patienceSeconds ? 'warning' : 'note',
    subject: gid,
    detail: `was prepared by ${owner} ${seconds} s ago; until COMMIT PREPARED or ROLLBACK PREPARED it keeps its locks and holds readers below the events it wrote`,
    next: "psql -c 'table pg_prepared_xacts'",
  };
}

function setOn(name: string): string {
  return `psql -c 'alter system set ${name} = on' -c 'select pg_reload_conf()'`;
}

function toServer(row: RawRow): Server {
  const may = (value: string | null | undefined) => (value === null || value === undefined ? null : value === 't');
  return {
    version: toText(row[0]),
    versionNumber: toInteger(row[1]),
    account: toText(row[2]),
    isSuperuser: row[3] === 't',
    isStandby: row[4] === 't',
    fsync: toText(row[5]),
    fullPageWrites: toText(row[6]),
    synchronousCommit: toText(row[7]),
    isolation: toText(row[8]),
    isReadOnly: row[9] === 'on',
    maxPrepared: toInteger(row[10]),
    mayRead: may(row[11]),
    mayAppend: may(row[12]),
    mayChange: may(row[13]),
    mayProject: may(row[14]),
    isFiltered: row[15] === 't',
  };
}

/** Diagnoses the server, its settings and this account. */
import type { Finding } from '../../../domain/finding.js';
import { shellWord } from '../../../domain/shell-word.js';
import { toInteger, toText } from '../../shared/rows.js';
import type { Ability, Diagnosis, Fact } from '../../store.js';
import type { Database } from '../connection/database.js';
import { isStatementPooling } from '../connection/errors.js';
import { quoteIdentifier } from '../connection/literals.js';
import type { RawRow } from '../connection/values.js';
import { findHealthFaults } from './health.js';
import { type SettingInForce, toSettings } from './settings-in-force.js';

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
  const settings = toSettings(await database.ask('settings-in-force'));
  const prepared = await database.ask('prepared-transactions');
  const findings = [
    ...(await judgePooler(database)),
    ...judgeServer(server, settings),
    ...judgeLimits(server, settings),
    ...judgeAccount(server),
    ...prepared.map(judgePrepared),
    ...(await findHealthFaults(database)),
  ];
  return {
    isStandby: server.isStandby,
    account: server.account,
    may: abilitiesOf(server),
    facts: [...describe(server), { name: 'encryption', value: database.isEncrypted ? 'TLS' : 'none' }],
    findings,
  };
}

/** A pooler in statement mode passes single statements on, so that all else looks well. */
async function judgePooler(database: Database): Promise<readonly Finding[]> {
  try {
    await database.transaction((session) => session.query('select 1'));
    return [];
  } catch (error) {
    if (!isStatementPooling(error)) throw error;
    const detail = 'is in statement mode: no transaction reaches the server, and evstore works only with transactions';
    const evidence = 'set pool_mode = transaction (or session) for this database in the configuration of the pooler';
    return [{ kind: 'pooler', severity: 'error', subject: 'pooler', detail, evidence, next: null }];
  }
}

/** Null without a schema. */
function abilitiesOf({ mayRead, mayAppend, mayProject }: Server): readonly Ability[] | null {
  if (mayRead === null) return null;
  const may = { read: mayRead, append: mayAppend, project: mayProject };
  return (['read', 'append', 'project'] as const).filter((ability) => may[ability] === true);
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

type Settings = ReadonlyMap<string, SettingInForce>;

function judgeServer(server: Server, settings: Settings): readonly Finding[] {
  const findings: Finding[] = [];
  const add = (severity: Finding['severity'], kind: string, detail: string, name?: string) => {
    const { origin, change = null } = settings.get(name ?? '') ?? {};
    const evidence = origin === undefined ? {} : { evidence: `${name} is ${origin}` };
    findings.push({ kind, severity, subject: 'server', detail, ...evidence, next: change });
  };
  if (server.versionNumber < oldestServer) {
    add('error', 'old-server', `is Postgres ${server.version}, and 14 is the oldest that works`);
  }
  if (server.fsync === 'off') {
    add('error', 'lost-writes', 'fsync is off: a crash can lose or damage what was acknowledged', 'fsync');
  }
  if (server.fullPageWrites === 'off') {
    const detail = 'full_page_writes is off: a crash can leave half-written pages';
    add('error', 'lost-writes', detail, 'full_page_writes');
  }
  if (server.synchronousCommit === 'off') {
    const detail = 'synchronous_commit is off: a crash loses the last appends, acknowledged or not';
    add('warning', 'lost-writes', detail, 'synchronous_commit');
  }
  if (server.isolation !== 'read committed') {
    const detail = `the default isolation level of ${server.account} is ${server.isolation}: ordered reads are refused`;
    add('error', 'isolation', detail, 'default_transaction_isolation');
  }
  if (server.isReadOnly && !server.isStandby) {
    const detail = `the transactions of ${server.account} are read-only: nothing can be appended`;
    add('warning', 'read-only', detail, 'default_transaction_read_only');
  }
  return findings;
}

/** Limits that a role sets on purpose stay; what they end says too little about where they come from. */
function judgeLimits({ account }: Server, settings: Settings): readonly Finding[] {
  const limits = [
    ['statement_timeout', 'an append or a poll that takes longer is cancelled'],
    ['transaction_timeout', 'a batch, an import or a swap that takes longer is ended, and its connection is lost'],
  ] as const;
  return limits.flatMap(([name, effect]) => {
    const { value = '0', origin, change = null } = settings.get(name) ?? {};
    if (value === '0') return [];
    return [
      {
        kind: 'time-limit',
        severity: name === 'transaction_timeout' ? 'warning' : 'note',
        subject: account,
        detail: `has a ${name} of ${value} ms: ${effect}`,
        ...(origin !== undefined && { evidence: `${name} is ${origin}` }),
        next: change,
      } satisfies Finding,
    ];
  });
}

function judgeAccount(server: Server): readonly Finding[] {
  const { account, isFiltered, mayRead, mayAppend, mayProject, mayChange, isSuperuser } = server;
  const next = 'evstore init --roles | psql -v ON_ERROR_STOP=1';
  const evidence =
    'the command below makes roles with only the rights they need: make them, then connect as one of them';
  if (isFiltered) {
    const detail = 'is subject to row-level security on events, which hides rows: no command works';
    const change = `psql -c ${shellWord(`alter role ${quoteIdentifier(account)} bypassrls`)}`;
    return [{ kind: 'row-security', severity: 'error', subject: account, detail, next: change }];
  }
  if (mayRead === false) {
    const detail = 'may not read events, evstore_meta and evstore_migrations: no command works';
    return [{ kind: 'privileges', severity: 'error', subject: account, detail, evidence, next }];
  }
  const lacks = [...(mayAppend === false ? ['append'] : []), ...(mayProject === false ? ['run projections'] : [])];
  const limited: Finding[] =
    lacks.length === 0
      ? []
      : [
          {
            kind: 'privileges',
            severity: 'note',
            subject: account,
            detail: `may not ${lacks.join(' or ')}`,
            evidence,
            next,
          },
        ];
  if (mayChange !== true) return limited;
  const reason = isSuperuser ? 'is a superuser' : 'owns events, or was granted more than INSERT on its columns';
  const detail = `${reason}: it can remove what keeps events immutable`;
  return [...limited, { kind: 'powerful-account', severity: 'warning', subject: account, detail, evidence, next }];
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

/** Parses a Postgres URL and the PG* variables by libpq's rules. */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import type { ConnectionOptions } from 'node:tls';
import { EvstoreError } from '../../../domain/errors.js';
import { beginningOf } from '../../redact-url.js';
import { type PasswordKey, readPasswordFile } from './password-file.js';

export interface ConnectionTarget {
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  readonly options: string | undefined;
  /** The schema of the store, where the URL names one. */
  readonly schema: string | undefined;
  readonly applicationName: string | undefined;
  readonly connectTimeoutMs: number;
  /** In the order to try them; false is a connection without encryption. */
  readonly encryptions: readonly Encryption[];
  /** Whether TLS begins at once, or after the server was asked for it. */
  readonly negotiation: (typeof negotiations)[number];
  readonly channelBinding: (typeof channelBindings)[number];
  readonly sessionKind: SessionKind;
  /** The URL without the password. */
  readonly location: string;
}

export type Encryption = false | ConnectionOptions;

const modes = ['disable', 'allow', 'prefer', 'require', 'no-verify', 'verify-ca', 'verify-full'] as const;
type SslMode = (typeof modes)[number];
const negotiations = ['postgres', 'direct'] as const;
const channelBindings = ['disable', 'prefer', 'require'] as const;
const sessionKinds = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'] as const;
/** As libpq has them. */
export type SessionKind = (typeof sessionKinds)[number];

/** What a URL may say after the `?`. Anything else would be ignored, which is worse than an error. */
const known = [
  'application_name',
  'channel_binding',
  'connect_timeout',
  'currentSchema',
  'dbname',
  'host',
  'options',
  'password',
  'port',
  'schema',
  'ssl',
  'sslcert',
  'sslkey',
  'sslmode',
  'sslnegotiation',
  'sslrootcert',
  'target_session_attrs',
  'user',
];

/** The longest timer: above it, Node.js does not wait at all. */
const longestTimeoutMs = 2_147_483_647;

/** @throws E_CONFIG */
export function parseConnectionUrl(url: string, env: NodeJS.ProcessEnv = process.env): ConnectionTarget {
  const { userPart, hostPart, path, query } = splitUrl(url);
  for (const name of query.keys()) if (!known.includes(name)) throw unknownParameter(name);
  const colon = userPart.indexOf(':');
  const [hostName, hostPort] = splitHost(decode(hostPart));
  const host = query.get('host') || hostName || env.PGHOST;
  const port = query.get('port') || hostPort || env.PGPORT;
  const user =
    query.get('user') || decode(colon === -1 ? userPart : userPart.slice(0, colon)) || env.PGUSER || systemUser(env);
  const password = query.get('password') || (colon === -1 ? '' : decode(userPart.slice(colon + 1))) || env.PGPASSWORD;
  const database = query.get('dbname') || decode(path) || env.PGDATABASE;
  const passwordKey: PasswordKey = [host ?? 'localhost', port ?? '5432', database ?? user ?? '', user ?? ''];
  if ([host, port].some((part) => part?.includes(',') === true)) throw severalHosts();
  if (port !== undefined && !/^\d{1,5}$/.test(port)) throw malformed(url, 'The port is not a number.');
  const mode = readSslMode(sslModeOf(query) || env.PGSSLMODE, host);
  const negotiation = oneOf('sslnegotiation', negotiations, query.get('sslnegotiation') || env.PGSSLNEGOTIATION);
  if (negotiation === 'direct' && ['disable', 'allow', 'prefer'].includes(mode)) {
    throw new EvstoreError('E_CONFIG', 'sslnegotiation=direct needs sslmode=require or a stricter one');
  }
  const timeout = Number(query.get('connect_timeout') || env.PGCONNECT_TIMEOUT || 10);
  return {
    host,
    port: port === undefined ? undefined : Number(port),
    user,
    password: password || readPasswordFile(passwordKey, env),
    database,
    options: query.get('options') || env.PGOPTIONS,
    schema: query.get('schema') || query.get('currentSchema') || searchPathOf(query.get('options')),
    applicationName: query.get('application_name') || undefined,
    connectTimeoutMs: Math.min(longestTimeoutMs, (timeout > 0 ? timeout : 10) * 1000),
    encryptions: listEncryptions(mode, query, env),
    negotiation: negotiation ?? 'postgres',
    channelBinding:
      oneOf('channel_binding', channelBindings, query.get('channel_binding') || env.PGCHANNELBINDING) ?? 'disable',
    sessionKind:
      oneOf('target_session_attrs', sessionKinds, query.get('target_session_attrs') || env.PGTARGETSESSIONATTRS) ??
      'any',
    location: describeLocation(host, port, user, database),
  };
}

interface UrlParts {
  readonly userPart: string;
  readonly hostPart: string;
  readonly path: string;
  readonly query: URLSearchParams;
}

/** If the URL is malformed, the last `@` ends the user part, so that a raw `/`, `#` or `?` in a password works. */
function splitUrl(url: string): UrlParts {
  const rest = url.replace(/^postgres(ql)?:/i, '');
  if (rest === '' || rest === '//') return { userPart: '', hostPart: '', path: '', query: new URLSearchParams() };
  const clean = /^\/\/(?:([^@/?#]*)@)?([^@/?#]*)(?:\/([^@?#]*))?(?:\?([^#]*))?$/.exec(rest);
  const parts = clean ?? /^\/\/(?:(.*)@)?([^@/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(rest);
  if (parts === null) throw malformed(url, 'Write postgres://USER@HOST:PORT/DATABASE.');
  const [, userPart = '', hostPart = '', path = '', query = ''] = parts;
  return { userPart, hostPart, path, query: new URLSearchParams(query.replaceAll('+', '%2B')) };
}

function splitHost(hostPart: string): [host: string, port: string | undefined] {
  const [, bracketed, plain = '', port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(hostPart) ?? [];
  return [bracketed ?? plain, port || undefined];
}

function systemUser(env: NodeJS.ProcessEnv): string | undefined {
  if (env.USER || env.USERNAME) return env.USER || env.USERNAME;
  try {
    // cron and containers set neither; like libpq, ask the system.
    return userInfo().username;
  } catch {
    return undefined;
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** `ssl=true` asks for a connection that is encrypted and verified: anything less would be a silent downgrade. */
function sslModeOf(query: URLSearchParams): string | undefined {
  const [ssl, sslmode] = [query.get('ssl'), query.get('sslmode')];
  if (ssl === null) return sslmode ?? undefined;
  if (sslmode !== null) {
    throw new EvstoreError('E_CONFIG', 'the URL has both ssl and sslmode', {
      why: 'Leave ssl out: sslmode says it all.',
    });
  }
  if (ssl === 'true' || ssl === '1' || ssl === '') return 'verify-full';
  return ssl === 'false' || ssl === '0' ? 'disable' : ssl;
}

/** Returns the first schema of `-c search_path=…`. */
function searchPathOf(options: string | null): string | undefined {
  const [, path = ''] = /(?:-c\s*|--)search_path=((?:\\.|[^\s\\])*)/.exec(options ?? '') ?? [];
  const names = path
    .replace(/\\(.)/g, '$1')
    .split(',')
    .map((name) => name.trim());
  const first = names.find((name) => name !== '' && name !== '"$user"' && name !== '$user');
  return first?.startsWith('"') ? first.slice(1, -1).replaceAll('""', '"') : first?.toLowerCase();
}

function readSslMode(text: string | undefined, host: string | undefined): SslMode {
  return oneOf('sslmode', modes, text) ?? (isLocal(host) ? 'allow' : 'prefer');
}

function oneOf<Value extends string>(
  name: string,
  values: readonly Value[],
  text: string | undefined,
): Value | undefined {
  const value = values.find((known) => known === text);
  if (value !== undefined || text === undefined) return value;
  throw new EvstoreError('E_CONFIG', `${name} '${text}' is not known`, { why: `It is one of ${values.join(', ')}.` });
}

export function isLocal(host: string | undefined): boolean {
  return host === undefined || host.startsWith('/') || ['localhost', '127.0.0.1', '::1'].includes(host);
}

function listEncryptions(mode: SslMode, query: URLSearchParams, env: NodeJS.ProcessEnv): readonly Encryption[] {
  if (mode === 'disable') return [false];
  const encrypted = describeEncryption(mode, query, env);
  if (mode === 'allow') return [false, encrypted];
  return mode === 'prefer' ? [encrypted, false] : [encrypted];
}

function describeEncryption(mode: SslMode, query: URLSearchParams, env: NodeJS.ProcessEnv): ConnectionOptions {
  const rootFile = query.get('sslrootcert') || env.PGSSLROOTCERT;
  const certFile = query.get('sslcert') || env.PGSSLCERT;
  const keyFile = query.get('sslkey') || env.PGSSLKEY;
  const isVerified = mode === 'verify-ca' || mode === 'verify-full' || (mode === 'require' && rootFile !== undefined);
  return {
    rejectUnauthorized: isVerified,
    ...(rootFile === undefined || rootFile === 'system' ? {} : { ca: readPem('sslrootcert', rootFile) }),
    ...(certFile === undefined ? {} : { cert: readPem('sslcert', certFile) }),
    ...(keyFile === undefined ? {} : { key: readPem('sslkey', keyFile) }),
    ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
}

function readPem(parameter: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new EvstoreError('E_CONFIG', `cannot read ${parameter} ${file}`, { cause });
  }
}

function describeLocation(host = 'localhost', port = '5432', user = '', database = user): string {
  const place = host.startsWith('/') ? encodeURIComponent(host) : host.includes(':') ? `[${host}]` : host;
  return `postgres://${user === '' ? '' : `${encodeURIComponent(user)}@`}${place}:${port}/${encodeURIComponent(database)}`;
}

function unknownParameter(name: string): EvstoreError {
  return new EvstoreError('E_CONFIG', `the Postgres URL has the unknown parameter ${JSON.stringify(name)}`, {
    why: `It would have no effect. Known are ${known.join(', ')}.`,
  });
}

function severalHosts(): EvstoreError {
  return new EvstoreError('E_CONFIG', 'the Postgres URL names several hosts, and evstore connects to one host only', {
    why: 'Name the primary server, or an address that always leads to it.',
  });
}

function malformed(url: string, why: string): EvstoreError {
  return new EvstoreError('E_CONFIG', `malformed Postgres URL ${beginningOf(url)}`, { why });
}

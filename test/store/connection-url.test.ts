/** What a Postgres URL means, and that nothing of a password survives printing. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConnectionUrl } from '../../src/store/postgres/connection/connection-url.js';
import { redactUrl } from '../../src/store/redact-url.js';

const nobody = { PGPASSFILE: '/nonexistent' };
const parse = (url: string, env: NodeJS.ProcessEnv = {}) => parseConnectionUrl(url, { ...nobody, ...env });

describe('connection URL', () => {
  it('takes the parts of a URL', () => {
    expect(parse('postgres://ann:secret@db.example:6000/shop')).toMatchObject({
      host: 'db.example',
      port: 6000,
      user: 'ann',
      password: 'secret',
      database: 'shop',
      location: 'postgres://ann@db.example:6000/shop',
    });
    expect(parse('postgresql://ann@[::1]:6000/shop')).toMatchObject({ host: '::1', port: 6000 });
    expect(parse('postgres://ann@/shop?host=/var/run/pg')).toMatchObject({ host: '/var/run/pg', database: 'shop' });
    expect(parse('postgres://ann@%2Fvar%2Frun/shop')).toMatchObject({ host: '/var/run' });
  });

  it('takes the name of the account where neither the URL nor the environment names a user', () => {
    expect(parse('postgres://h/d')).toMatchObject({ user: userInfo().username });
    expect(parse('postgres://h/d', { USER: 'ann' })).toMatchObject({ user: 'ann' });
  });

  it('fills in from the PG* variables, which lose to the URL', () => {
    const env = { PGHOST: 'h', PGPORT: '1', PGUSER: 'u', PGPASSWORD: 'p', PGDATABASE: 'd' };
    for (const url of ['postgres:', 'postgres://', 'postgresql:///']) {
      expect(parse(url, env)).toMatchObject({ host: 'h', port: 1, user: 'u', password: 'p', database: 'd' });
    }
    expect(parse('postgres://v@g:2/e', env)).toMatchObject({ host: 'g', port: 2, user: 'v', database: 'e' });
  });

  it('waits for a connection no longer than a timer can, and 10 s unless said', () => {
    const waits = (seconds: string) => parse(`postgres://h/d?connect_timeout=${seconds}`).connectTimeoutMs;
    expect(['3', '', '0', 'soon', '9999999', 'Infinity'].map(waits)).toEqual([
      3_000, 10_000, 10_000, 10_000, 2_147_483_647, 2_147_483_647,
    ]);
  });

  it.each([
    'postgres://ann:p%40%3A%2F%23%25%3Fw@h/shop',
    'postgres://ann:p@:/#%?w@h/shop',
    'postgres://ann@h/shop?password=p%40%3A%2F%23%25%3Fw',
  ])('H25: %s', (url) => {
    const target = parse(url);
    expect(target).toMatchObject({ user: 'ann', password: 'p@:/#%?w', host: 'h', database: 'shop' });
    expect(target.location).toBe('postgres://ann@h:5432/shop');
  });

  it('maps sslmode to encryptions in the order they are tried', () => {
    const tried = (url: string) =>
      parse(url).encryptions.map((each) =>
        each === false ? 'plain' : each.rejectUnauthorized ? 'verified' : 'encrypted',
      );
    expect(tried('postgres://h/d')).toEqual(['encrypted', 'plain']);
    expect(tried('postgres://localhost/d')).toEqual(['plain', 'encrypted']);
    expect(tried('postgres://h/d?sslmode=disable')).toEqual(['plain']);
    expect(tried('postgres://h/d?sslmode=require')).toEqual(['encrypted']);
    expect(tried('postgres://h/d?sslmode=verify-ca')).toEqual(['verified']);
    expect(tried('postgres://h/d?sslmode=verify-full')).toEqual(['verified']);
    expect(() => tried('postgres://h/d?sslmode=maybe')).toThrow("sslmode 'maybe' is not known");
  });

  it('takes the schema of the store from schema, currentSchema or the search path of options', () => {
    const schema = (query: string) => parse(`postgres://h/d?${query}`).schema;
    expect(schema('schema=shop')).toBe('shop');
    expect(schema('currentSchema=shop')).toBe('shop');
    expect(schema('options=-c%20search_path=shop')).toBe('shop');
    expect(schema('options=-c%20jit=off%20--search_path=%22$user%22,Shop,public')).toBe('shop');
    expect(schema('options=-csearch_path=%22My%5C%20Shop%22')).toBe('My Shop');
    expect(schema('options=-c%20jit=off')).toBeUndefined();
  });

  it.each(['bogus', 'load_balance_hosts', 'SSLMODE'])('refuses the parameter %s by name', (name) => {
    expect(() => parse(`postgres://ann:secret@h/d?${name}=1`)).toThrow(`the unknown parameter "${name}"`);
  });

  it('takes what else libpq demands of a connection, from the URL or the PG* variables', () => {
    expect(parse('postgres://h/d')).toMatchObject({
      channelBinding: 'disable',
      sessionKind: 'any',
      negotiation: 'postgres',
    });
    const query = 'sslmode=require&channel_binding=require&target_session_attrs=read-write&sslnegotiation=direct';
    const demands = { channelBinding: 'require', sessionKind: 'read-write', negotiation: 'direct' };
    expect(parse(`postgres://h/d?${query}`)).toMatchObject(demands);
    const env = {
      PGSSLMODE: 'require',
      PGCHANNELBINDING: 'require',
      PGTARGETSESSIONATTRS: 'read-write',
      PGSSLNEGOTIATION: 'direct',
    };
    expect(parse('postgres://h/d', env)).toMatchObject(demands);
    for (const name of ['channel_binding', 'target_session_attrs', 'sslnegotiation']) {
      expect(() => parse(`postgres://h/d?${name}=maybe`)).toThrow(`${name} 'maybe' is not known`);
    }
    expect(() => parse('postgres://h/d?sslnegotiation=direct')).toThrow('needs sslmode=require');
  });

  it('takes ssl=true for verify-full, and never connects with less than ssl asks for', () => {
    const encryptions = (query: string) =>
      parse(`postgres://localhost/d?${query}`, { PGSSLMODE: 'prefer' }).encryptions;
    for (const query of ['ssl=true', 'ssl=1']) {
      expect(encryptions(query)).toEqual([{ rejectUnauthorized: true }]);
    }
    expect(encryptions('ssl=no-verify')).toMatchObject([{ rejectUnauthorized: false }]);
    expect(encryptions('ssl=false')).toEqual([false]);
    expect(() => encryptions('ssl=maybe')).toThrow("sslmode 'maybe' is not known");
    expect(() => encryptions('ssl=true&sslmode=prefer')).toThrow('both ssl and sslmode');
  });

  it('refuses what is no URL without showing its password', () => {
    for (const url of ['postgres:/ann:secret@h', 'postgres://ann:secret@h:port/d']) {
      expect(() => parse(url)).toThrow(/^(?!.*secret).*malformed/);
    }
  });
});

describe('password file', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'evstore-pgpass-'));
    const lines = ['# comment', 'h:5432:other:ann:wrong', 'h:*:shop:ann:p\\:\\\\w', '*:*:*:*:last'];
    writeFileSync(join(folder, 'pgpass'), `${lines.join('\n')}\n`, { mode: 0o600 });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('gives the password of the first line that fits', () => {
    const env = { PGPASSFILE: join(folder, 'pgpass') };
    expect(parseConnectionUrl('postgres://ann@h/shop', env).password).toBe('p:\\w');
    expect(parseConnectionUrl('postgres://bob@h/shop', env).password).toBe('last');
    expect(parseConnectionUrl('postgres://ann:mine@h/shop', env).password).toBe('mine');
  });

  it.skipIf(process.platform === 'win32')('is not trusted when others can read it', () => {
    const file = join(folder, 'open');
    writeFileSync(file, '*:*:*:*:x\n');
    chmodSync(file, 0o644);
    expect(parseConnectionUrl('postgres://ann@h/shop', { PGPASSFILE: file }).password).toBeUndefined();
  });
});

describe('redaction', () => {
  it.each([
    ['postgres://ann:secret@h/d', 'postgres://ann@h/d'],
    ['postgres://ann:se@cr/et?#@h/d', 'postgres://ann@h/d'],
    ['postgres://:secret@h', 'postgres://@h'],
    ['postgres://h/d?sslmode=require&password=secret&a=b', 'postgres://h/d?sslmode=require&password=***&a=b'],
    ['postgres://h/d?sslpassword=secret', 'postgres://h/d?sslpassword=***'],
    ['cannot reach postgres://ann:secret@h/d today', 'cannot reach postgres://ann@h/d today'],
    ['postgres://h:5432/d', 'postgres://h:5432/d'],
    ['postgres:/ann:secret@h', 'postgres:/ann@h'],
    ['postgres:ann:secret@h', 'postgres:ann@h'],
    ['ann:secret@h/d', 'ann@h/d'],
    ['sqlite:./evstore.db', 'sqlite:./evstore.db'],
    ['sqlite:./a:b@c.db', 'sqlite:./a:b@c.db'],
    ['postgres://ann@h:5432/d', 'postgres://ann@h:5432/d'],
  ])('%s', (url, safe) => expect(redactUrl(url)).toBe(safe));
});

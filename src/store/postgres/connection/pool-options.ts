/** Options of a pool whose connections are as the URL demands, or fail. */
import type { TLSSocket } from 'node:tls';
import type pg from 'pg';
import { EvstoreError } from '../../../domain/errors.js';
import type { ConnectionTarget, SessionKind } from './connection-url.js';
import { driver } from './driver.js';

/** Returns what node-postgres needs to reach the target, without encryption. */
export function poolOptionsOf(target: ConnectionTarget): pg.PoolConfig {
  const { host, port, user, password, database, options, channelBinding, sessionKind, location } = target;
  return {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(database === undefined ? {} : { database }),
    ...(options === undefined ? {} : { options }),
    sslnegotiation: target.negotiation,
    connectionTimeoutMillis: target.connectTimeoutMs,
    ...(channelBinding === 'disable' ? {} : { enableChannelBinding: true }),
    ...(channelBinding === 'require' ? { Client: makeBoundClient(location) } : {}),
    // With one host, prefer-standby takes whatever server is there.
    ...(sessionKind === 'any' || sessionKind === 'prefer-standby' ? {} : { verify: verifier(sessionKind, location) }),
  };
}

/** The driver uses SCRAM-SHA-256-PLUS if the server offers it. This client refuses any other login, before it sends a password. */
function makeBoundClient(location: string): typeof pg.Client {
  return class BoundClient extends driver.Client {
    constructor(config?: pg.ClientConfig) {
      super(config);
      let isOffered = false;
      let isBound = false;
      const refuse = (why: string) => {
        const error = new EvstoreError('E_CONNECT', `the login is not bound to the connection: ${location}`, {
          why: `${why} The URL has channel_binding=require.`,
        });
        this.connection.stream.destroy();
        // At once: the server's next message may have arrived with this one.
        this.connection.emit('error', error);
      };
      const asksPlainly = () => refuse('The server asks for a password without SCRAM.');
      // Called before the driver's own listeners, which it adds when it connects.
      this.connection.on('authenticationCleartextPassword', asksPlainly);
      this.connection.on('authenticationMD5Password', asksPlainly);
      this.connection.on('authenticationSASL', ({ mechanisms }: { readonly mechanisms: readonly string[] }) => {
        const isEncrypted = (this.connection.stream as TLSSocket).encrypted === true;
        isOffered = isEncrypted && mechanisms.includes('SCRAM-SHA-256-PLUS');
        if (!isOffered) refuse('The server does not offer SCRAM-SHA-256-PLUS, which needs TLS.');
      });
      // The driver checks that the server knows the password, too.
      this.connection.on('authenticationSASLFinal', () => {
        isBound = isOffered;
      });
      this.connection.on('authenticationOk', () => {
        if (!isBound) refuse('The server did not complete a login by password.');
      });
    }
  };
}

function verifier(kind: SessionKind, location: string): NonNullable<pg.PoolConfig['verify']> {
  return (client, done) => {
    const text = `select pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('default_transaction_read_only')`;
    client
      .query<[boolean, string]>({ text, rowMode: 'array' })
      .then(
        ({ rows: [[isStandby, readOnly] = [false, 'off']] }) =>
          done(faultOf(kind, isStandby, readOnly === 'on', location)),
        done,
      );
  };
}

function faultOf(kind: SessionKind, isStandby: boolean, isReadOnly: boolean, location: string): Error | undefined {
  const isWritable = !isStandby && !isReadOnly;
  const standby = 'It is a standby.';
  const whyNot: Readonly<Partial<Record<SessionKind, string | false>>> = {
    primary: isStandby && standby,
    standby: !isStandby && 'It is the primary.',
    'read-write': !isWritable && (isStandby ? standby : 'Its transactions are read-only by default.'),
    'read-only': isWritable && 'It accepts writes.',
  };
  const why = whyNot[kind];
  if (!why) return undefined;
  return new EvstoreError('E_CONNECT', `the server is not what target_session_attrs=${kind} asks for: ${location}`, {
    why,
  });
}

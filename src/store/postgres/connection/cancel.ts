/** Ends the statement that a connection is working on. */
import { connect } from 'node:net';
import type pg from 'pg';

/** What the driver keeps of a connection. */
interface Connected {
  readonly host: string;
  readonly port: number;
  /** Told by the server, for this request. */
  readonly processID?: number | null;
  readonly secretKey?: number | null;
}

const cancelRequest = 80_877_102;

/**
 * Asks the server over a connection of its own, as the protocol has it: so it also works through a pooler, and while all
 * connections are in use. The request has no answer, and is never encrypted. Does nothing for a connection that is idle.
 */
export function cancelStatement(client: pg.Client): void {
  const { host, port, processID, secretKey } = client as unknown as Connected;
  if (typeof processID !== 'number' || typeof secretKey !== 'number') return;
  const request = Buffer.alloc(16);
  for (const [at, value] of [16, cancelRequest, processID, secretKey].entries()) request.writeInt32BE(value, at * 4);
  const socket = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
  socket.on('error', () => undefined);
  socket.unref();
  socket.end(request);
}

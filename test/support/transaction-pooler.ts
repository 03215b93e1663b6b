/** Stands before Postgres and hands each transaction to another of a few connections, as a pooler in transaction mode does. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TransactionPooler {
  /** Of the same database, through the pooler. */
  readonly url: string;
  /** How often a client met another connection than the one before. */
  readonly switches: number;
  close(): Promise<void>;
}

interface Client {
  readonly socket: Socket;
  /** Messages that wait for a connection. */
  waiting: Buffer[];
  backend: Backend | undefined;
  last: Backend | undefined;
}

interface Backend {
  readonly socket: Socket;
  /** Its part of a handshake, to be repeated to every client. */
  readonly greeting: Promise<Buffer>;
  client: Client | undefined;
}

const sslRequest = 80_877_103;

/** The last message of PgBouncer to a client that begins a transaction in statement mode. */
const refusal = errorResponse('SFATAL', 'C08P01', 'Mtransaction blocks not allowed in statement pooling mode');

function errorResponse(...fields: readonly string[]): Buffer {
  const body = Buffer.from(`${fields.map((field) => `${field}\0`).join('')}\0`);
  const head = Buffer.alloc(5, 'E');
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

/**
 * @param target a URL that needs no password
 * @param mode `statement` refuses transactions, as PgBouncer does in that mode
 */
export async function startTransactionPooler(
  target: string,
  size = 3,
  mode: 'transaction' | 'statement' = 'transaction',
): Promise<TransactionPooler> {
  const { hostname, port } = new URL(target);
  const free: Backend[] = [];
  const queue: Client[] = [];
  const sockets = new Set<Socket>();
  let opened: Backend[] | undefined;
  let switches = 0;

  const server = createServer((socket) => {
    keep(socket);
    const client: Client = { socket, waiting: [], backend: undefined, last: undefined };
    let startup: Buffer | undefined;
    const split = splitMessages(false);
    socket.on('data', (chunk: Buffer) => {
      for (const message of split(chunk)) {
        if (startup !== undefined) send(client, message);
        else if (message.readUInt32BE(4) === sslRequest) socket.write('N');
        else {
          startup = message;
          opened ??= Array.from({ length: size }, () => openBackend(message));
          void opened[0]?.greeting.then((greeting) => socket.write(greeting));
        }
      }
    });
    // A connection in the middle of a transaction is of no use to anybody else.
    socket.on('close', () => client.backend?.socket.destroy());
  });

  function keep(socket: Socket): void {
    sockets.add(socket.setNoDelay(true));
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  }

  function openBackend(startup: Buffer): Backend {
    const socket = connect(Number(port || 5432), hostname, () => socket.write(startup));
    keep(socket);
    const split = splitMessages(true);
    const greeted: Buffer[] = [];
    let greet = (_: Buffer) => {};
    const greeting = new Promise<Buffer>((resolve) => {
      greet = resolve;
    });
    let isGreeted = false;
    const backend: Backend = { socket, greeting, client: undefined };
    socket.on('data', (chunk: Buffer) => {
      for (const message of split(chunk)) {
        const isReady = message[0] === 0x5a;
        if (isGreeted) backend.client?.socket.write(message);
        else greeted.push(message);
        if (!isReady) continue;
        if (!isGreeted) greet(Buffer.concat(greeted));
        isGreeted = true;
        if (message[5] === 0x49) release(backend);
      }
    });
    socket.on('close', () => {
      backend.client?.socket.destroy();
      const at = free.indexOf(backend);
      if (at !== -1) free.splice(at, 1);
      if (server.listening) openBackend(startup);
    });
    return backend;
  }

  function release(backend: Backend): void {
    if (backend.client !== undefined) backend.client.backend = undefined;
    backend.client = undefined;
    free.push(backend);
    const next = queue.shift();
    if (next !== undefined) assign(next);
  }

  function assign(client: Client): void {
    const backend = free.shift();
    if (backend === undefined) {
      queue.push(client);
      return;
    }
    if (client.socket.destroyed) {
      release(backend);
      return;
    }
    if (client.last !== undefined && client.last !== backend) switches += 1;
    client.last = backend;
    client.backend = backend;
    backend.client = client;
    for (const message of client.waiting.splice(0)) backend.socket.write(message);
  }

  function send(client: Client, message: Buffer): void {
    if (message[0] === 0x58) client.socket.end();
    else if (mode === 'statement' && /^Q....begin\b/s.test(message.toString('latin1'))) client.socket.end(refusal);
    else if (client.backend !== undefined) client.backend.socket.write(message);
    else {
      client.waiting.push(message);
      if (client.waiting.length === 1) assign(client);
    }
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const through = new URL(target);
  through.hostname = '127.0.0.1';
  through.port = String((server.address() as AddressInfo).port);
  return {
    url: through.href,
    get switches() {
      return switches;
    },
    close: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}

/** Whole messages out of pieces. What a client says first has no letter. */
function splitMessages(hasLetter: boolean): (chunk: Buffer) => Buffer[] {
  let rest: Buffer = Buffer.alloc(0);
  let head = hasLetter ? 1 : 0;
  return (chunk) => {
    const found: Buffer[] = [];
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      if (rest.length < head + 4) return found;
      const length = head + rest.readUInt32BE(head);
      if (rest.length < length) return found;
      found.push(rest.subarray(0, length));
      const isSslRequest = head === 0 && length === 8 && rest.readUInt32BE(4) === sslRequest;
      if (!isSslRequest) head = 1;
      rest = rest.subarray(length);
    }
  };
}

/** Stands on the wire to Postgres, understands where a message of the client ends, and cuts it where it is told to. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** `before`: the server never gets the message. `after`: it does, the answer is lost. `mid-reply`: half of it comes. */
export type Cut = 'before' | 'after' | 'mid-reply';

export interface FrontendMessage {
  /** `startup`, or the letter of the protocol: Q query, P parse, B bind, D describe, E execute, S sync, d and c rows of COPY and their end, X terminate. */
  readonly kind: string;
  readonly bytes: Buffer;
}

export interface WireProxy {
  /** Of the same database, through the proxy. */
  readonly url: string;
  /** Kinds of the messages so far, over all connections. */
  readonly messages: readonly string[];
  /** Cuts at the first message from now on that matches, once. `index` counts from 0. */
  cutWhen(matches: (message: FrontendMessage, index: number) => boolean, cut: Cut): void;
  /** How often it has cut. */
  readonly cuts: number;
  /** While true nothing passes in either direction and nobody is told. */
  isBlackHole: boolean;
  /** While true new connections end at once. */
  isClosed: boolean;
  /** Ends every connection there is. */
  dropAll(): void;
  close(): Promise<void>;
}

const sync = 'S';
const flush = Buffer.from([0x48, 0, 0, 0, 4]);

export async function startWireProxy(target: string): Promise<WireProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const messages: string[] = [];
  let plan: { matches: Parameters<WireProxy['cutWhen']>[0]; cut: Cut; from: number } | undefined;
  let cuts = 0;
  const server = createServer((client) => {
    if (proxy.isClosed) return void client.destroy();
    const upstream = connect(Number(port || 5432), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket.setNoDelay(true));
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    const split = splitMessages();
    let isCut = false;
    let isHalved = false;
    client.on('data', (chunk: Buffer) => {
      if (proxy.isBlackHole) return;
      for (const message of split(chunk)) if (!isCut) pass(message);
    });
    upstream.on('data', (chunk: Buffer) => {
      if (proxy.isBlackHole || (isCut && !isHalved)) return;
      if (!isHalved) return void client.write(chunk);
      isHalved = false;
      client.end(chunk.subarray(0, Math.ceil(chunk.length / 2)));
      upstream.destroy();
    });
    client.on('close', () => !isCut && upstream.end());
    upstream.on('close', () => !proxy.isBlackHole && client.destroy());

    function pass(message: FrontendMessage): void {
      messages.push(message.kind);
      const cut = plan?.matches(message, messages.length - 1 - plan.from) ? plan.cut : undefined;
      if (cut === undefined) return void upstream.write(message.bytes);
      plan = undefined;
      cuts += 1;
      isCut = true;
      if (cut === 'before') upstream.end();
      // Nobody answers a goodbye, or a row of COPY.
      else if (cut === 'after' || 'Xd'.includes(message.kind)) upstream.end(message.bytes);
      else {
        isHalved = true;
        upstream.write(message.bytes);
        // Without a flush the server keeps what it has to say about these until the sync.
        if (message.kind.length === 1 && message.kind !== sync && message.kind !== 'Q') upstream.write(flush);
        return;
      }
      client.destroy();
    }
  });
  const proxy: WireProxy = {
    url: '',
    messages,
    cutWhen: (matches, cut) => {
      plan = { matches, cut, from: messages.length };
    },
    get cuts() {
      return cuts;
    },
    isBlackHole: false,
    isClosed: false,
    dropAll: () => {
      for (const socket of sockets) socket.destroy();
    },
    close: async () => {
      proxy.dropAll();
      server.close();
      await once(server, 'close');
    },
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const through = new URL(target);
  through.hostname = '127.0.0.1';
  through.port = String((server.address() as AddressInfo).port);
  return Object.assign(proxy, { url: through.href });
}

/** Whole messages out of pieces. The first of a connection has no letter. */
function splitMessages(): (chunk: Buffer) => FrontendMessage[] {
  let rest: Buffer = Buffer.alloc(0);
  let isStarted = false;
  return (chunk) => {
    const found: FrontendMessage[] = [];
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const head = isStarted ? 1 : 0;
      if (rest.length < head + 4) return found;
      const length = head + rest.readUInt32BE(head);
      if (rest.length < length) return found;
      const bytes = rest.subarray(0, length);
      found.push({ kind: isStarted ? String.fromCharCode(bytes[0] ?? 0) : 'startup', bytes });
      isStarted = true;
      rest = rest.subarray(length);
    }
  };
}

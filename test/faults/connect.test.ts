/** A server that is not ready when a command connects: the command waits for it inside its time limit. */
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, inject, it } from 'vitest';
import { Stop } from '../../src/terminal/signals.js';
import { runCli } from '../support/cli.js';
import { withTestStore } from '../support/engines.js';

const encryptionRequest = 80_877_103;

interface Unready {
  readonly url: string;
  /** Connections that were refused so far. */
  readonly refused: number;
  close(): Promise<void>;
}

/** Refuses connections until `isReady`, then leads to the server. */
async function startUnready(target: string, isReady: (refused: number) => boolean, refuse: (socket: Socket) => void) {
  const { hostname, port } = new URL(target);
  let refused = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    if (isReady(refused)) {
      const upstream = connect(Number(port), hostname);
      upstream.on('error', () => socket.destroy());
      socket.pipe(upstream).pipe(socket);
      return;
    }
    socket.on('data', (bytes) => {
      if (bytes.length === 8 && bytes.readInt32BE(4) === encryptionRequest) {
        socket.write('N');
        return;
      }
      refused += 1;
      refuse(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(target);
  const address = server.address();
  url.port = String(typeof address === 'object' ? address?.port : '');
  const unready: Unready = {
    url: url.href,
    get refused() {
      return refused;
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
  return unready;
}

/** Answers as a server does that refuses a connection. */
function answerWith(state: string): (socket: Socket) => void {
  const fields = `SFATAL\0VFATAL\0C${state}\0Mnot now\0\0`;
  const message = Buffer.alloc(5 + fields.length);
  message.write('E', 0);
  message.writeInt32BE(4 + fields.length, 1);
  message.write(fields, 5);
  return (socket) => socket.end(message);
}

const refusals: Readonly<Record<string, (socket: Socket) => void>> = {
  '57P01': answerWith('57P01'),
  '57P02': answerWith('57P02'),
  '57P03': answerWith('57P03'),
  '08006': answerWith('08006'),
  '53300': answerWith('53300'),
  'an end without a word': (socket) => socket.end(),
  'a reset': (socket) => socket.resetAndDestroy(),
};

describe.each(Object.entries(refusals))('a server that answers %s at first', (_, refuse) => {
  it.each([
    [['append', 'Order-1', '--type', 'OrderPlaced', '--timeout', '30s']],
    [['streams', '--json']],
    [['lag', '--json']],
  ])('%j waits for it', (argv) =>
    withTestStore('postgres', async ({ url }) => {
      const unready = await startUnready(url, (refused) => refused >= 3, refuse);
      try {
        const { code, stderr } = await runCli([...argv, '--store', unready.url]);
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
        expect(unready.refused).toBe(3);
      } finally {
        await unready.close();
      }
    }),
  );
});

it('says what it waits for, and gives up when the time is over', () =>
  withTestStore('postgres', async ({ url }) => {
    const unready = await startUnready(url, () => false, answerWith('57P03'));
    try {
      const argv = ['append', 'Order-1', '--type', 'OrderPlaced', '--timeout', '5s', '--store', unready.url];
      const { code, stderr } = await runCli(argv);
      expect(code).toBe(3);
      expect(stderr.match(/waiting for the database: the database is shutting down or starting/g)).toHaveLength(1);
      expect(stderr).toContain('(E_CONNECT)');
      expect(unready.refused).toBeGreaterThan(1);
    } finally {
      await unready.close();
    }
  }));

it('a signal ends the wait', () =>
  withTestStore('postgres', async ({ url }) => {
    const unready = await startUnready(url, () => false, answerWith('57P03'));
    try {
      const stop = new AbortController();
      const argv = ['append', 'Order-1', '--type', 'OrderPlaced', '--timeout', '1h', '--store', unready.url];
      const { code } = await runCli(argv, {
        signal: stop.signal,
        onError: (text) => {
          if (text.includes('waiting')) stop.abort(new Stop('SIGINT'));
        },
      });
      expect(code).toBe(130);
    } finally {
      await unready.close();
    }
  }));

it('a wrong database or a wrong host is said at once', async () => {
  const url = new URL(inject('postgresUrl'));
  url.pathname = '/not_there';
  for (const wrong of [url.href, 'postgres://postgres@not-there.invalid/shop']) {
    const { code, stderr } = await runCli(['streams', '--store', wrong]);
    expect(code).toBe(3);
    expect(stderr).not.toContain('waiting');
  }
});

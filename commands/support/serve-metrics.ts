/** Metrics over HTTP, measured when they are asked for. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EvstoreError, isEvstoreError } from '../../src/domain/errors.js';
import { redactUrl } from '../../src/store/redact-url.js';
import type { Context } from '../options/command.js';
import type { Address } from '../options/parse-address.js';

/** After a signal, for answers that are on their way. */
const longestEndMs = 2_000;
const metricsType = 'text/plain; version=0.0.4; charset=utf-8';
const textType = 'text/plain; charset=utf-8';

/**
 * Serves until a signal ends it: `/metrics`, and `/-/healthy`, which says that the process answers and asks no store.
 * @param measure one at a time: requests that come meanwhile share its answer
 * @throws E_USAGE when the address cannot be used
 */
export async function serveMetrics(address: Address, measure: () => Promise<string>, context: Context): Promise<void> {
  const { signal } = context.io;
  let pending: Promise<string> | undefined;
  const shared = () => {
    pending ??= measure().finally(() => {
      pending = undefined;
    });
    return pending;
  };
  const server = createServer((request, response) => {
    const path = request.url?.split('?', 1)[0];
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(response, 405, textType, 'only GET\n');
    if (path === '/-/healthy') return answer(response, 200, textType, 'ok\n');
    if (path !== '/metrics') return answer(response, 404, textType, 'see /metrics\n');
    shared().then(
      (text) => answer(response, 200, metricsType, text),
      (error) => answer(response, 503, textType, describeError(error)),
    );
  });
  const { address: host, family, port } = await listen(server, address);
  await context.note(`metrics: http://${family === 'IPv6' ? `[${host}]` : host}:${port}/metrics`);
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  await close(server);
}

function answer(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body);
}

function describeError(error: unknown): string {
  if (!isEvstoreError(error)) return 'E_BUG: an unexpected error\n';
  return redactUrl(`${error.code}: ${error.message}\n`);
}

function listen(server: Server, { host, port }: Address): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        new EvstoreError('E_USAGE', `cannot listen on ${host}:${port}`, { why: `${error.message}.`, cause: error }),
      );
    });
    server.listen(port, host, () => resolve(server.address() as AddressInfo));
  });
}

async function close(server: Server): Promise<void> {
  const impatient = setTimeout(() => server.closeAllConnections(), longestEndMs);
  await new Promise((resolve) => server.close(resolve));
  clearTimeout(impatient);
}

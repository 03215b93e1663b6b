/** Loads node-postgres without modules of Node that it would load and never use. */
import { createRequire } from 'node:module';

type Driver = typeof import('pg');

/**
 * To tell Node from Cloudflare, the driver reads `navigator`, and before Node 21, which has none, it creates a `Response`.
 * That loads all of `fetch` and takes nearly as long as the driver itself. So `navigator` is defined, as in later versions,
 * while the driver loads. The driver is required, not imported, because this cannot wait.
 */
export const driver: Driver = withNavigator(() => createRequire(import.meta.url)('pg'));

function withNavigator<Result>(load: () => Result): Result {
  if ('navigator' in globalThis) return load();
  const userAgent = `Node.js/${process.versions.node.split('.')[0]}`;
  Object.defineProperty(globalThis, 'navigator', { value: { userAgent }, configurable: true });
  try {
    return load();
  } finally {
    Reflect.deleteProperty(globalThis, 'navigator');
  }
}

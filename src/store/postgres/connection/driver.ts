/** node-postgres, without what of Node it would load and never use. */
import { createRequire } from 'node:module';

type Driver = typeof import('pg');

/**
 * To tell Node from Cloudflare, the driver looks at `navigator`, and where there is none, before Node 21, it makes a
 * `Response`: that loads everything `fetch` is made of, and takes nearly as long as the driver itself. So there is one,
 * as later versions have it, while the driver loads; it is required because an import could not be waited for here.
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

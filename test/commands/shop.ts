/** A folder with a projection, and the command line in it against a fresh store. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../../src/store/store.js';
import { orderSummary } from '../projection/orders.js';
import { type CliOptions, type CliResult, makeFolder, runCli } from '../support/cli.js';
import { type TestStore, type TestStoreOptions, withTestStore } from '../support/engines.js';

export interface Shop {
  readonly test: TestStore;
  readonly cwd: string;
  evstore(...argv: string[]): Promise<CliResult>;
  evstoreWith(options: CliOptions, ...argv: string[]): Promise<CliResult>;
  /** The report of a command that must go well. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the command reports; the case says what it looks for.
  report(...argv: string[]): Promise<any>;
  /** Writes the projection `order_summary`. @param handler of OrderPlaced */
  writeProjection(version?: number, handler?: string): void;
}

export function withShop(
  engine: Engine,
  body: (shop: Shop) => Promise<void>,
  options?: TestStoreOptions,
): Promise<void> {
  return withTestStore(
    engine,
    async (test) => {
      const cwd = makeFolder();
      mkdirSync(join(cwd, 'projections'));
      const evstoreWith = (options: CliOptions, ...argv: string[]) =>
        runCli([...argv, '--store', test.url], { cwd, ...options });
      const evstore = (...argv: string[]) => evstoreWith({}, ...argv);
      const shop: Shop = {
        test,
        cwd,
        evstore,
        evstoreWith,
        report: async (...argv) => {
          const { code, stdout, stderr } = await evstore(...argv, '--json');
          if (code !== 0) throw new Error(`exit ${code}: ${stderr}`);
          return JSON.parse(stdout);
        },
        writeProjection: (version = 1, handler = String(orderSummary.on.OrderPlaced)) => {
          const { name, category, table } = orderSummary;
          const shape = JSON.stringify({ name, version, category, table }).slice(0, -1);
          const source = `export default ${shape}, on: { OrderPlaced: ${handler}, OrderRemoved: () => null } };\n`;
          writeFileSync(join(cwd, 'projections/order-summary.ts'), source);
        },
      };
      shop.writeProjection();
      await body(shop);
    },
    options,
  );
}

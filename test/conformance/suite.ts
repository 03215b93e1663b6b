/** Suites as data, so that vitest runs them on real stores and the teeth tests run them on broken ones. */
import { describe, it } from 'vitest';
import type { Engine } from '../../src/store/store.js';
import { engines, type TestStore, type TestStoreOptions, withTestStore } from '../support/engines.js';

export type Case = (test: TestStore) => Promise<void>;

export interface Suite {
  readonly title: string;
  readonly cases: Readonly<Record<string, Case>>;
  /** Both unless said. */
  readonly engines: readonly Engine[];
  readonly store: TestStoreOptions;
}

export function suite(
  title: string,
  cases: Readonly<Record<string, Case>>,
  options: { readonly engines?: readonly Engine[]; readonly store?: TestStoreOptions } = {},
): Suite {
  return { title, cases, engines: options.engines ?? engines, store: options.store ?? {} };
}

export function describeSuite({ title, cases, engines: chosen, store }: Suite): void {
  for (const engine of chosen) {
    describe(`${title} on ${engine}`, () => {
      for (const [name, run] of Object.entries(cases)) it(name, () => withTestStore(engine, run, store));
    });
  }
}

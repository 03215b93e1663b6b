/** The built library as a program uses it. */
import type * as Evstore from '../src/index.js';
import type { Writers } from './yardsticks/writer.js';

/** A store has at most so many connections. */
const writersOfStore = 8;

async function importEvstore(): Promise<typeof Evstore> {
  return (await import(new URL('../dist/src/index.js', import.meta.url).href)) as typeof Evstore;
}

export async function openEvstoreWriters(url: string, count: number): Promise<Writers> {
  const { openStore } = await importEvstore();
  const stores = await Promise.all(Array.from({ length: Math.ceil(count / writersOfStore) }, () => openStore(url)));
  return {
    writes: Array.from({ length: count }, (_, writer) => {
      const store = stores[Math.floor(writer / writersOfStore)];
      return async (stream, _version, events) => store?.append(stream, events);
    }),
    close: async () => {
      await Promise.all(stores.map((store) => store.close()));
    },
  };
}

/** The rows of a projection, as its handlers see them. */
import { checkMembers, checkText, checkWholeNumber } from '../domain/arguments.js';
import { EvstoreError } from '../domain/errors.js';
import type { StoredRow } from '../domain/read-model.js';
import { assertVersion } from '../lease/registration.js';
import { keyOf, type RowKey, toRowKeys } from '../projection/define/columns.js';
import type { Columns, KeyValue, Row, TableProjection } from '../projection/define/definition.js';
import { type PreparedTableProjection, prepareAll } from '../projection/define/prepare.js';
import { chooseTable, listRows } from '../query/rows.js';
import type { Store } from '../store/store.js';

/** The rows of one projection, in its live table. */
export interface ReadModelRows<C extends Columns = Columns, Key extends keyof C = keyof C> {
  /**
   * Returns the row of a key; undefined when there is none.
   * @param key the value of the key column, or an object of the key columns
   * @throws EvstoreError E_INVALID_INPUT for what cannot be a key, E_NOT_FOUND when the projection has not run on this
   * store, E_STALE_PROJECTION when code of another version made the rows
   */
  get(key: KeyValue<C, Key>): Promise<Row<C, Key> | undefined>;
  /**
   * Returns the rows for which a condition holds, in the order of their keys; all without one.
   * @throws EvstoreError as `get`
   */
  find(options?: FindOptions): Promise<readonly Row<C, Key>[]>;
}

export interface FindOptions {
  /** A condition as after `rows --where`; it names columns as the table does: `total >= 100 and paid_at is null`. */
  readonly where?: string;
  /** The most rows. Default: all. */
  readonly limit?: number;
}

const findOptions = { where: checkText, limit: checkWholeNumber(1) };
/** Rows read by one statement. */
const mostKeys = 500;

export class OpenRows implements ReadModelRows {
  readonly #store: Store;
  readonly #projection: PreparedTableProjection;

  /** @throws E_INVALID_INPUT for a projection without a table, E_CONFIG for one with a fault */
  constructor(store: Store, projection: TableProjection) {
    const [prepared] = prepareAll([projection]);
    if (prepared === undefined || !('shape' in prepared)) {
      throw new EvstoreError('E_INVALID_INPUT', `${projection.name} has no rows that can be read by key`, {
        why: 'Only the rows of defineProjection have keys that evstore knows.',
      });
    }
    this.#store = store;
    this.#projection = prepared;
  }

  async get(key: unknown): Promise<Row<Columns, string> | undefined> {
    const { shape, name } = this.#projection;
    const [row] = await this.#read([toKey(shape, name, key)]);
    return row;
  }

  async find(options: FindOptions = {}): Promise<readonly Row<Columns, string>[]> {
    const { where, limit = Number.MAX_SAFE_INTEGER } = checkMembers(options, 'options', findOptions);
    const { name, shape } = this.#projection;
    await this.#assertCurrent();
    const chosen = await chooseTable(this.#store, {
      projection: name,
      side: 'live',
      findSpec: async () => shape.spec,
    });
    const { rows } = await listRows(chosen, {
      store: this.#store,
      where,
      limit,
      now: new Date(),
      startsLong: async () => {},
      progress: () => {},
      signal: new AbortController().signal,
    });
    return this.#read(rows.map((row) => keyOf(shape, row)));
  }

  /** Returns the rows there are, in the order of the keys. */
  async #read(keys: readonly RowKey[]): Promise<readonly Row<Columns, string>[]> {
    const { shape, tables } = this.#projection;
    const [table = ''] = tables;
    const known = new Map<string, StoredRow>();
    const current = this.#assertCurrent();
    // It is awaited below, but may fail before that.
    current.catch(() => {});
    try {
      for (let at = 0; at < keys.length; at += mostKeys) {
        const some = keys.slice(at, at + mostKeys).map(({ columns }) => columns);
        for (const row of await this.#store.projections.readRows(table, shape.spec, some)) {
          known.set(keyOf(shape, row).text, row);
        }
      }
    } finally {
      // What is wrong with the projection tells better why its rows cannot be read.
      await current;
    }
    return keys.flatMap(({ text }) => {
      const row = known.get(text);
      return row === undefined ? [] : [shape.codec.load(row) as Row<Columns, string>];
    });
  }

  async #assertCurrent(): Promise<void> {
    const { name } = this.#projection;
    const record = (await this.#store.projections.list()).find((each) => each.name === name);
    if (record !== undefined) return assertVersion(record, this.#projection);
    throw new EvstoreError('E_NOT_FOUND', `projection ${name} has no rows in this store`, {
      why: 'No runner and no program has registered it here.',
      next: `evstore run ${name}`,
      details: { projection: name },
    });
  }
}

/** @throws E_INVALID_INPUT */
function toKey(shape: PreparedTableProjection['shape'], projection: string, value: unknown): RowKey {
  try {
    // A list is several keys, even a list of one.
    const [key] = Array.isArray(value) ? [] : toRowKeys(shape, value);
    if (key !== undefined) return key;
  } catch (error) {
    throw new EvstoreError('E_INVALID_INPUT', `key is not a key of ${projection}`, {
      why: error instanceof Error ? `It takes ${error.message}.` : undefined,
      cause: error,
    });
  }
  throw new EvstoreError('E_INVALID_INPUT', `key is not one key of ${projection}`);
}

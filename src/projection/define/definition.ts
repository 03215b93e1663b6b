/**
 * Projections as users write them. `defineProjection` and the like return their argument, typed and marked. It is checked
 * when it is loaded, because the error can then name the file and the export. It is recognised by shape, not by class,
 * because the user's file may load another copy of evstore.
 */
// biome-ignore-all lint/suspicious/noExplicitAny: data is whatever the user's events hold, and a projection of unknown columns takes any handler.
import type { ProjectionMode } from '../../domain/projection-mode.js';
import type { ColumnType, Statement } from '../../domain/read-model.js';
import type { DataOf, EventType, Handler, OtherType, StoredEvents } from '../../domain/stored-events.js';
import type { TableIdentifier } from './sql-tag.js';
import type { Upcaster } from './upcaster.js';

/**
 * An event as handlers get it: `data` and `metadata` are parsed, and `data` has the type that `StoredEvents` declares. Numbers are JavaScript numbers, but a whole number beyond
 * 2^53-1 is a BigInt, because a JavaScript number would round it. Reading a fraction that it would round throws, unless the
 * definition says `roundNumbers`.
 */
export interface Event<Type extends string = string, Data = DataOf<Type>> {
  readonly id: string;
  readonly streamId: string;
  readonly streamType: string;
  readonly type: Type;
  readonly schemaVersion: number;
  readonly data: Data;
  readonly metadata: Readonly<Record<string, any>>;
  readonly version: number;
  readonly globalPosition: number;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
}

/**
 * An event of any type, as it is read from a store: after a comparison of its `type` its `data` is known. It may be of a type
 * that is not declared, so every `switch` needs a default.
 */
export type StoredEvent = keyof StoredEvents extends never
  ? Event
  : { [Type in keyof StoredEvents & string]: Event<Type> }[keyof StoredEvents & string] | Event<OtherType>;

/** Property → column type. Properties are camelCase, columns snake_case: `orderId` ↔ `order_id`. */
export type Columns = Readonly<Record<string, ColumnType>>;

/** The value a handler reads from a column; from a bigint column, a number beyond 2^53-1 is a BigInt. */
export type ReadValue<Type extends ColumnType> = Type extends 'integer' | 'bigint' | 'real'
  ? number
  : Type extends 'boolean'
    ? boolean
    : Type extends 'json'
      ? any
      : string;

/** A value a handler may write to a column. */
export type WrittenValue<Type extends ColumnType> = Type extends 'numeric' | 'bigint'
  ? string | number | bigint
  : Type extends 'timestamp'
    ? string | Date
    : ReadValue<Type>;

/** A row as handlers get it: it has every column, and those outside the key may be null. */
export type Row<C extends Columns, Key extends keyof C> = {
  readonly [Name in keyof C]: Name extends Key ? ReadValue<C[Name]> : ReadValue<C[Name]> | null;
};

/** A row as handlers return it: columns left out become null, key columns keep their values. */
export type WrittenRow<C extends Columns> = {
  readonly [Name in keyof C]?: WrittenValue<C[Name]> | null | undefined;
};

/** The key of a row: the value of the key column, or an object of the key columns. */
export type KeyValue<C extends Columns, Key extends keyof C> =
  | WrittenValue<C[Key]>
  | { readonly [Name in Key]: WrittenValue<C[Name]> };

/**
 * The event a handler gets: of its type, or of any type for `*`. A definition whose types are not known (`any`) takes any
 * handler.
 */
export type HandledEvent<Type extends string> = unknown extends Type
  ? Event<any, any>
  : Type extends '*'
    ? StoredEvent
    : Event<Type>;

export interface IndexDefinition<Name extends string = string> {
  readonly columns: readonly Name[];
  readonly unique?: boolean;
}

export interface TableDefinition<C extends Columns = Columns, Key extends keyof C & string = keyof C & string> {
  /** The name readers use. Default: the projection's name. */
  readonly name?: string;
  readonly columns: C;
  /** The primary key: one property or several. */
  readonly key: Key | readonly Key[];
  /** Each index: one property, several, or an object that can make it unique. */
  readonly indexes?: readonly (
    | NoInfer<keyof C & string>
    | readonly NoInfer<keyof C & string>[]
    | IndexDefinition<NoInfer<keyof C & string>>
  )[];
}

/** What every kind of projection has. */
export interface CommonDefinition {
  /** Unique in the store; 1–63 characters of `a-z`, `0-9` and `_`. */
  readonly name: string;
  /** From 1; a new version needs a rebuild. */
  readonly version: number;
  /**
   * Text that changes when the functions change, at most 200 characters, such as a hash that your build makes. evstore
   * compares it in place of the source. Set it when evstore cannot read the source, because it is JavaScript or bundled.
   */
  readonly codeHash?: string;
  /** Only events of streams `CATEGORY` or `CATEGORY-…`. */
  readonly category?: string;
  /**
   * Events of older schema versions go through these before handlers see them. An event of a type listed here that they do
   * not lead to the last version is not handled: it stops the projection or is parked, as an event whose handler throws.
   */
  readonly upcasters?: readonly Upcaster[];
  /**
   * Takes the nearest JavaScript number for a fraction of more digits. Default false: an event that has one is not handled,
   * as an event whose handler throws.
   */
  readonly roundNumbers?: boolean;
}

/** A row per key, folded in memory: runs the same on both engines. */
export interface ProjectionDefinition<
  C extends Columns = any,
  Key extends keyof C & string = any,
  Type extends string = any,
> extends CommonDefinition {
  /**
   * `inline`: programs that have this code write the rows in the transaction of the append. Default `async`: a runner
   * writes them. Inline rows are keyed by their stream: `key` is left out.
   */
  readonly mode?: ProjectionMode;
  readonly table: TableDefinition<C, Key>;
  /** Returns the key of the row an event is about; an array for several rows, nothing for none. Default: the stream id. */
  readonly key?: (event: Event) => KeyValue<C, Key> | readonly KeyValue<C, Key>[] | null | undefined;
  /**
   * Event type → the row after the event. `*` handles every type without its own handler. The row is null when none
   * exists; return null to delete it, or undefined to leave it unchanged.
   */
  readonly on: {
    readonly [T in Type]: Handler<[row: Row<C, Key> | null, event: HandledEvent<T>], WrittenRow<C> | null | undefined>;
  };
  /**
   * Statements that look for faults in a rebuilt table before it is swapped in, in the engine's dialect. Each row they
   * return is a fault. They cannot write.
   */
  readonly validate?: (table: TableIdentifier) => Statement | readonly Statement[];
}

export type TableProjection<
  C extends Columns = any,
  Key extends keyof C & string = any,
  Type extends string = any,
> = ProjectionDefinition<C, Key, Type> & { readonly kind: 'table' };

/** Statements in the dialect of one engine, for joins, several tables and search indexes. */
export interface SqlProjectionDefinition<Table extends string = any, Type extends string = any>
  extends CommonDefinition {
  /**
   * `inline`: programs that have this code write the rows in the transaction of the append. Default `async`: a runner
   * writes them. Inline needs `partitionBy: 'stream'`.
   */
  readonly mode?: ProjectionMode;
  /** The tables, by the names readers use. */
  readonly tables: readonly Table[];
  /**
   * `stream`: no row is made from events of more than one stream. The work can then be divided into parts, by stream.
   */
  readonly partitionBy?: 'stream';
  /** Statements that create the tables and their indexes, under the names in `t`. */
  readonly create: (t: TableIdentifiers<Table>) => Statement | readonly Statement[];
  /** Event type → statements. `*` handles every type without its own handler. */
  readonly on: {
    readonly [T in Type]: Handler<
      [event: HandledEvent<T>, t: TableIdentifiers<Table>],
      Statement | readonly Statement[] | undefined
    >;
  };
  /** Statements that look for faults in rebuilt tables before they are swapped in; each row they return is a fault. */
  readonly validate?: (t: TableIdentifiers<Table>) => Statement | readonly Statement[];
}

export type SqlProjection<Table extends string = any, Type extends string = any> = SqlProjectionDefinition<
  Table,
  Type
> & { readonly kind: 'sql' };

export type TableIdentifiers<Table extends string = string> = { readonly [Name in Table]: TableIdentifier };

/** A read model outside the store's database. */
export interface ExternalTarget {
  /** Different for each rebuild; at most 63 characters of `a-z`, `0-9` and `_`: `order_search__v2_17`. */
  readonly name: string;
  /** The version of the projection that fills it. */
  readonly version: number;
}

export interface ExternalContext {
  /**
   * Aborted when the process is told to stop, another has taken over, or the call takes longer than `timeout`: the current
   * work may be abandoned.
   */
  readonly signal: AbortSignal;
}

/** Every event of the projection's types between two positions, in the order of the log. */
export interface ExternalBatch {
  readonly events: readonly StoredEvent[];
  /** Exclusive. */
  readonly from: number;
  readonly to: number;
}

/**
 * Rows outside the store's database: in a search engine, another database, files. They cannot share a transaction with the
 * checkpoint, so each batch is written before the checkpoint moves. After a crash the last batch comes again, and a batch
 * of a frozen process may come late. Therefore each write must be idempotent and must not replace a newer state by an
 * older one: store the event's position as the row's key or next to the row, and write only higher ones.
 */
export interface ExternalProjectionDefinition<Connection = any> extends CommonDefinition {
  /** Only events of these types. Default: all. */
  readonly types?: readonly EventType[];
  /**
   * How long one call of these functions may take, e.g. `30s`; after that the work stops with an error. Default `5m`.
   */
  readonly timeout?: string;
  /**
   * Called once before a target is used. With `isNew` it creates the target, empty, and replaces what a crash may have
   * left under that name. If what it returns has a `close()`, that is called at the end.
   */
  readonly open: (
    target: ExternalTarget & { readonly isNew: boolean },
    context: ExternalContext,
  ) => Connection | Promise<Connection>;
  /**
   * Writes a batch, which is never empty. It may be called after `drop`, and must not create the target again. An error
   * with the `globalPosition` of an event is about that event, any other error about the whole batch.
   */
  readonly write: (
    connection: Connection,
    batch: ExternalBatch,
    target: ExternalTarget,
    context: ExternalContext,
  ) => unknown;
  /**
   * Makes `target` the one readers see, in one step: moves an alias, replaces a view. It is called at each start of a
   * runner and after a crash, and changes nothing if it is done already. `previous` is what readers saw, if that is known;
   * it stays for a rollback.
   */
  readonly promote: (
    connection: Connection,
    target: ExternalTarget,
    previous: ExternalTarget | null,
    context: ExternalContext,
  ) => unknown;
  /** Removes a target that readers do not see, if it exists. */
  readonly drop: (target: ExternalTarget, context: ExternalContext) => unknown;
  /** Counts the rows in a target, for `rebuild --verify count`. */
  readonly count?: (
    connection: Connection,
    target: ExternalTarget,
    context: ExternalContext,
  ) => number | Promise<number>;
}

export type ExternalProjection<Connection = any> = ExternalProjectionDefinition<Connection> & {
  readonly kind: 'external';
};

export type Projection = TableProjection | SqlProjection | ExternalProjection;

export function defineProjection<
  const C extends Columns,
  const Key extends keyof C & string,
  const Type extends string,
>(definition: ProjectionDefinition<C, Key, Type>): TableProjection<C, Key, Type> {
  return { ...definition, kind: 'table' };
}

export function defineSqlProjection<const Table extends string, const Type extends string>(
  definition: SqlProjectionDefinition<Table, Type>,
): SqlProjection<Table, Type> {
  return { ...definition, kind: 'sql' };
}

export function defineExternalProjection<Connection>(
  definition: ExternalProjectionDefinition<Connection>,
): ExternalProjection<Connection> {
  return { ...definition, kind: 'external' };
}

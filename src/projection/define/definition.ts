/**
 * Projections as users write them. `defineProjection` and its like give their argument back, typed and marked; it is checked when it is loaded, where the file and the export can be named. The result is recognised by
 * shape, never by class, because the user's file may load another copy of evstore.
 */
// biome-ignore-all lint/suspicious/noExplicitAny: data is whatever the user's events hold, and a projection of unknown columns takes any handler.
import type { ProjectionMode } from '../../domain/projection-mode.js';
import type { ColumnType, Statement } from '../../domain/read-model.js';
import type { TableIdentifier } from './sql-tag.js';
import type { Upcaster } from './upcaster.js';

/** An event as handlers get it: `data` and `metadata` parsed, numbers as JavaScript numbers. */
export interface Event<Type extends string = string, Data = any> {
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

/** Property → column type. Properties are camelCase, columns snake_case: `orderId` ↔ `order_id`. */
export type Columns = Readonly<Record<string, ColumnType>>;

/** What a handler reads from a column. */
export type ReadValue<Type extends ColumnType> = Type extends 'integer' | 'bigint' | 'real'
  ? number
  : Type extends 'boolean'
    ? boolean
    : Type extends 'json'
      ? any
      : string;

/** What a handler may put into a column. */
export type WrittenValue<Type extends ColumnType> = Type extends 'numeric'
  ? string | number
  : Type extends 'timestamp'
    ? string | Date
    : ReadValue<Type>;

/** A row as handlers get it: every column there, all but the key's nullable. */
export type Row<C extends Columns, Key extends keyof C> = {
  readonly [Name in keyof C]: Name extends Key ? ReadValue<C[Name]> : ReadValue<C[Name]> | null;
};

/** A row as handlers return it: columns left out are null, the key is filled in. */
export type WrittenRow<C extends Columns> = {
  readonly [Name in keyof C]?: WrittenValue<C[Name]> | null | undefined;
};

/** One row's key: the value of the key column, or an object of the key columns. */
export type KeyValue<C extends Columns, Key extends keyof C> =
  | WrittenValue<C[Key]>
  | { readonly [Name in Key]: WrittenValue<C[Name]> };

/** The event of a handler: of its type, or of any type under `*`. */
export type HandledEvent<Type extends string> = Event<Type extends '*' ? string : Type>;

export interface IndexDefinition<Name extends string = string> {
  readonly columns: readonly Name[];
  readonly unique?: boolean;
}

export interface TableDefinition<C extends Columns = Columns, Key extends keyof C & string = keyof C & string> {
  /** What readers call the table. Default: the projection's name. */
  readonly name?: string;
  readonly columns: C;
  /** One property or several; the primary key. */
  readonly key: Key | readonly Key[];
  /** Properties: one, several, or an object that says whether the index is unique. */
  readonly indexes?: readonly (
    | NoInfer<keyof C & string>
    | readonly NoInfer<keyof C & string>[]
    | IndexDefinition<NoInfer<keyof C & string>>
  )[];
}

/** A row per key, folded in memory: runs the same on both engines. */
export interface ProjectionDefinition<
  C extends Columns = any,
  Key extends keyof C & string = any,
  Type extends string = any,
> {
  /** Unique in the store; 1–63 characters of `a-z`, `0-9` and `_`. */
  readonly name: string;
  /** From 1; a new one needs a rebuild. */
  readonly version: number;
  /** Only events of streams `CATEGORY` or `CATEGORY-…`. */
  readonly category?: string;
  /**
   * `inline`: programs that have this code write the rows in the transaction of the append. Default `async`: a runner
   * writes them. Inline rows are keyed by their stream: `key` is left out.
   */
  readonly mode?: ProjectionMode;
  /** Events of older schema versions go through these before a handler sees them. */
  readonly upcasters?: readonly Upcaster[];
  readonly table: TableDefinition<C, Key>;
  /**
   * Which row an event is about; an array for several, nothing when it concerns none. Default: the stream id.
   */
  readonly key?: (event: Event) => KeyValue<C, Key> | readonly KeyValue<C, Key>[] | null | undefined;
  /**
   * Event type → the row after it. `*` takes every type without a handler of its own. The row is null where none
   * exists; null deletes it, undefined leaves it as it is.
   */
  readonly on: {
    readonly [T in Type]: (row: Row<C, Key> | null, event: HandledEvent<T>) => WrittenRow<C> | null | undefined;
  };
  /**
   * Statements that look for faults in a rebuilt table before it is swapped in, in the dialect of the engine: each row
   * they return is one. They cannot write.
   */
  readonly validate?: (table: TableIdentifier) => Statement | readonly Statement[];
}

export type TableProjection<
  C extends Columns = any,
  Key extends keyof C & string = any,
  Type extends string = any,
> = ProjectionDefinition<C, Key, Type> & { readonly kind: 'table' };

/** Statements, for joins, several tables and search indexes: written in the dialect of one engine. */
export interface SqlProjectionDefinition<Table extends string = any, Type extends string = any> {
  /** Unique in the store; 1–63 characters of `a-z`, `0-9` and `_`. */
  readonly name: string;
  /** From 1; a new one needs a rebuild. */
  readonly version: number;
  /** Only events of streams `CATEGORY` or `CATEGORY-…`. */
  readonly category?: string;
  /**
   * `inline`: programs that have this code write the rows in the transaction of the append. Default `async`: a runner
   * writes them. Inline needs `partitionBy: 'stream'`.
   */
  readonly mode?: ProjectionMode;
  /** Events of older schema versions go through these before a handler sees them. */
  readonly upcasters?: readonly Upcaster[];
  /** The names readers use. */
  readonly tables: readonly Table[];
  /**
   * `stream`: no row is made of more than one stream's events, so that several processes may share the work, each with
   * streams of its own.
   */
  readonly partitionBy?: 'stream';
  /** Statements that make the tables and their indexes, under the names `t` gives. */
  readonly create: (t: TableIdentifiers<Table>) => Statement | readonly Statement[];
  /** Event type → statements. `*` takes every type without a handler of its own. */
  readonly on: {
    readonly [T in Type]: (
      event: HandledEvent<T>,
      t: TableIdentifiers<Table>,
    ) => Statement | readonly Statement[] | undefined;
  };
  /** Statements that look for faults in rebuilt tables before they are swapped in: each row they return is one. */
  readonly validate?: (t: TableIdentifiers<Table>) => Statement | readonly Statement[];
}

export type SqlProjection<Table extends string = any, Type extends string = any> = SqlProjectionDefinition<
  Table,
  Type
> & { readonly kind: 'sql' };

export type TableIdentifiers<Table extends string = string> = { readonly [Name in Table]: TableIdentifier };

/** A read model outside the store's database. */
export interface ExternalTarget {
  /** Of its own for each rebuild, at most 63 characters of `a-z`, `0-9` and `_`: `order_search__v2_17`. */
  readonly name: string;
  /** Of the projection that fills it. */
  readonly version: number;
}

export interface ExternalContext {
  /** Aborted when the process is told to stop, or another has taken over: what is under way may be given up. */
  readonly signal: AbortSignal;
}

/** Some events in the order of the log, and every event of the projection's types between two positions. */
export interface ExternalBatch {
  readonly events: readonly Event[];
  /** Exclusive. */
  readonly from: number;
  readonly to: number;
}

/**
 * Rows outside the store's database: a search engine, another database, files. What is written there and the checkpoint
 * cannot be one transaction: the batch is written first, then the checkpoint moves. After a crash the last batch comes
 * again, and one of a process that was frozen may come late. So each write must be idempotent, and must not put an older
 * state over a newer one: keep the event's position as the row's key, or beside the row, and write only what is higher.
 */
export interface ExternalProjectionDefinition<Connection = any> {
  /** Unique in the store; 1–63 characters of `a-z`, `0-9` and `_`. */
  readonly name: string;
  /** From 1; a new one needs a rebuild. */
  readonly version: number;
  /** Only events of streams `CATEGORY` or `CATEGORY-…`. */
  readonly category?: string;
  /** Events of older schema versions go through these before `write` sees them. */
  readonly upcasters?: readonly Upcaster[];
  /** Only events of these types. Default: all. */
  readonly types?: readonly string[];
  /**
   * Once for each spell of work on a target. When `isNew`, nothing of it was written yet: makes it, empty, in place of
   * what a crash may have left under that name. A `close()` of what it returns is called at the end of the spell.
   */
  readonly open: (
    target: ExternalTarget & { readonly isNew: boolean },
    context: ExternalContext,
  ) => Connection | Promise<Connection>;
  /**
   * One batch, never an empty one; see above for what may come twice. It may come after `drop`, and must not make the
   * target again. An error with the `globalPosition` of an event is about that event, any other about the whole batch.
   */
  readonly write: (
    connection: Connection,
    batch: ExternalBatch,
    target: ExternalTarget,
    context: ExternalContext,
  ) => unknown;
  /**
   * Makes `target` what readers see, in one step: an alias moved, a view replaced. Called at each start of a runner and
   * again after a crash, so it changes nothing when it is done already. `previous` is what readers saw, where that is
   * known: it stays for a rollback.
   */
  readonly promote: (
    connection: Connection,
    target: ExternalTarget,
    previous: ExternalTarget | null,
    context: ExternalContext,
  ) => unknown;
  /** Removes a target that readers do not see; there may be none of that name any more. */
  readonly drop: (target: ExternalTarget, context: ExternalContext) => unknown;
  /** Rows in a target, for `rebuild --verify count`. */
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

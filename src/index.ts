/** The public API of `evstore`: these names are a contract. */
export { type Config, defineConfig } from './config/config.js';
export { type ErrorCode, EvstoreError, isEvstoreError } from './domain/errors.js';
export type { AppendedEvent, AppendResult, EventFilter, ExpectedVersion } from './domain/event.js';
export type { ColumnType, Statement } from './domain/read-model.js';
export {
  type AppendCondition,
  type EventInput,
  type EventStore,
  type LogRange,
  type OpenOptions,
  openStore,
  type StreamRange,
  type SubscribeOptions,
} from './event-store.js';
export {
  defineExternalProjection,
  defineProjection,
  defineSqlProjection,
  type Event,
  type ExternalBatch,
  type ExternalContext,
  type ExternalProjection,
  type ExternalProjectionDefinition,
  type ExternalTarget,
  type Projection,
  type ProjectionDefinition,
  type Row,
  type SqlProjection,
  type SqlProjectionDefinition,
  type TableIdentifiers,
  type TableProjection,
} from './projection/define/definition.js';
export { type SqlValue, sql, type TableIdentifier } from './projection/define/sql-tag.js';
export { defineUpcaster, type Upcaster } from './projection/define/upcaster.js';
export { type ActionContext, type CompensationContext, defineSaga, type Saga } from './saga/definition.js';
export type { Engine } from './store/store.js';

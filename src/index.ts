/** The public API of `evstore`: these names are a contract. */
export {
  type Aggregate,
  type AggregateDefinition,
  type DecidedEvent,
  type Decision,
  type DecisionContext,
  defineAggregate,
  type Evolve,
} from './aggregate/definition.js';
export type { HandleResult } from './aggregate/handle.js';
export type { LoadedAggregate } from './aggregate/load-state.js';
export { type Config, defineConfig, type NamedStore } from './config/config.js';
export { type ErrorCode, type ErrorFacts, EvstoreError, isEvstoreError } from './domain/errors.js';
export type { AppendedEvent, AppendResult, EventFilter, ExpectedVersion } from './domain/event.js';
export type { ProjectionMode } from './domain/projection-mode.js';
export type { ColumnType, Statement, StatementPart, StoredValue } from './domain/read-model.js';
export type { EndPhase, SagaPhase } from './domain/saga-phase.js';
export type {
  DataOf,
  DataOfVersion,
  EventType,
  Handler,
  NewDataOf,
  OtherType,
  StoredEvents,
  StoredEventVersions,
  WidenedTexts,
} from './domain/stored-events.js';
export type { CommonInput, EventInput, TypedInput, VersionedInput } from './library/event-input.js';
export { type EventStore, openStore } from './library/event-store.js';
export type {
  AppendCondition,
  AsText,
  HandleOptions,
  LogFilter,
  LogRange,
  OpenOptions,
  StreamRange,
  SubscribeOptions,
} from './library/event-store-options.js';
export type { NamedSubscribeOptions, SubscribedBatch } from './library/named-subscription.js';
export type { FindOptions, ReadModelRows } from './library/read-model-rows.js';
export type { EventText } from './library/text-events.js';
export type { WaitForOptions } from './library/wait-for.js';
export {
  type Columns,
  type CommonDefinition,
  defineExternalProjection,
  defineProjection,
  defineSqlProjection,
  type Event,
  type ExternalBatch,
  type ExternalContext,
  type ExternalProjection,
  type ExternalProjectionDefinition,
  type ExternalTarget,
  type HandledEvent,
  type IndexDefinition,
  type KeyValue,
  type Projection,
  type ProjectionDefinition,
  type ReadValue,
  type Row,
  type SqlProjection,
  type SqlProjectionDefinition,
  type StoredEvent,
  type TableDefinition,
  type TableIdentifiers,
  type TableProjection,
  type WrittenRow,
  type WrittenValue,
} from './projection/define/definition.js';
export { type Identifier, type SqlValue, sql, type TableIdentifier } from './projection/define/sql-tag.js';
export { defineUpcaster, type Upcaster } from './projection/define/upcaster.js';
export {
  defineReaction,
  type Reaction,
  type ReactionContext,
  type ReactionDefinition,
  type ReactionEvent,
  type ReactionResult,
} from './reaction/definition.js';
export type {
  ActionContext,
  CompensationContext,
  Recorded,
  RecordedMember,
  SagaAppendOptions,
  SagaEvent,
  StepContext,
} from './saga/contexts.js';
export {
  type ActionOptions,
  type ActionStep,
  defineSaga,
  type OnTimeout,
  type Saga,
  type SagaDefinition,
  type SagaOptions,
  type SagaStep,
  type SleepStep,
  type SleepTime,
  type WaitOptions,
  type WaitStep,
  type WithResult,
} from './saga/definition.js';
export { type Classification, type FailureOptions, Final, NotApplied } from './saga/failures.js';
export type { Engine } from './store/store.js';

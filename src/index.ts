/** What a program may import from `evstore`. */
export { EvstoreError } from './domain/errors.js';
export type { AppendResult, ExpectedVersion } from './domain/event.js';
export type { Statement } from './domain/read-model.js';
export * from './event-store.js';
export {
  defineProjection,
  defineSqlProjection,
  type Event,
  type Projection,
  type TableIdentifiers,
} from './projection/definition.js';
export { sql } from './projection/sql-tag.js';
export { type ActionContext, type CompensationContext, defineSaga, type Saga } from './saga/definition.js';

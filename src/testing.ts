/**
 * `evstore/testing`: tests projections, aggregates, reactions and sagas in memory with the code that runs them in production.
 * Works in any test runner: a scenario that fails throws an AssertionError with the difference.
 */

export type { SagaPhase } from './domain/saga-phase.js';
export {
  type AggregateScenario,
  aggregateScenario,
  type DecidedScenario,
  type ExpectedEvent,
} from './testing/aggregate-scenario.js';
export { type ExternalScenario, externalScenario } from './testing/external-scenario.js';
export { type GivenDetails, type GivenEvent, given } from './testing/given.js';
export { type ProjectionScenario, projectionScenario, type TestedRow } from './testing/projection-scenario.js';
export { type AppendedByReaction, type ReactionScenario, reactionScenario } from './testing/reaction-scenario.js';
export { type AppendedBySaga, type SagaOutcome, type SagaScenario, sagaScenario } from './testing/saga-scenario.js';

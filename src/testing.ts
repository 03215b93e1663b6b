/**
 * `evstore/testing`: projections and sagas tried out in memory, by the code that runs them. Works in any test runner: a
 * scenario that does not hold throws an AssertionError with the difference.
 */
export { type ExternalScenario, externalScenario } from './testing/external-scenario.js';
export { type GivenEvent, given } from './testing/given.js';
export { type ProjectionScenario, projectionScenario, type TestedRow } from './testing/projection-scenario.js';
export { type AppendedBySaga, type SagaOutcome, type SagaScenario, sagaScenario } from './testing/saga-scenario.js';

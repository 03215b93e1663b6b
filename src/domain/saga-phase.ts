/** Where an instance of a saga stands. */

/** Of an instance that has not ended. `waiting`: for an event, a time, or the next attempt. */
export const activePhases = ['running', 'waiting', 'compensating'] as const;
/** `compensated`: failed successfully. `failed`: with nothing to compensate. `compensation-failed`: parked. */
export const endPhases = ['completed', 'compensated', 'failed', 'compensation-failed'] as const;

export type EndPhase = (typeof endPhases)[number];
export type SagaPhase = (typeof activePhases)[number] | EndPhase;

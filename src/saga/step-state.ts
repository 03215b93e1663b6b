/** The state of one step of an instance, and its changes. */

export interface StepState {
  readonly name: string;
  /** Attempts of an action, or waits. */
  readonly attempts: number;
  readonly failures: number;
  /** An attempt started, and how it ended is unknown. */
  readonly open: boolean;
  readonly completed: boolean;
  /** Attempts that ended because their process did. */
  readonly interruptions: number;
  /** An attempt ended, and whether it took effect is unknown. */
  readonly uncertain: boolean;
  /** It failed, and waits for its next attempt. */
  readonly retryPending: boolean;
  readonly result: unknown;
  /** The id of the event whose data is the result; null when the result is known. */
  readonly resultIn: string | null;
  /** What its attempts stored before their end. */
  readonly recorded: Readonly<Record<string, unknown>>;
  /** Of its last attempt that failed; null when a later one succeeded. */
  readonly error: string | null;
  /** What it waits for. */
  readonly wait: Wait | null;
  readonly compensation: CompensationState;
}

export type Wait =
  | { readonly kind: 'time' }
  | {
      readonly kind: 'event';
      readonly types: readonly string[];
      readonly key: string;
      readonly timeoutMs: number | null;
      /** No such event came up to this position; null before the log was searched. */
      readonly searchedTo: number | null;
    };

export interface CompensationState {
  /** The step had a compensation when it started. */
  readonly registered: boolean;
  readonly attempts: number;
  /** Attempts up to this one do not count: the action took effect after they had begun. */
  readonly voidAttempts: number;
  readonly failures: number;
  readonly completed: boolean;
  /** It failed, and waits for its next attempt. */
  readonly retryPending: boolean;
  /** It used up its retries. */
  readonly exhausted: boolean;
  /** Of its last attempt that failed; null when a later one succeeded. */
  readonly error: string | null;
}

interface Steps {
  readonly steps: readonly StepState[];
}

/** Adds the step, unless it is there. @param compensation whether the step has one */
export function withStep<State extends Steps>(state: State, name: string, compensation: boolean): State {
  if (state.steps.some((step) => step.name === name)) return state;
  return { ...state, steps: [...state.steps, fresh(name, compensation)] };
}

export function changeStep<State extends Steps>(
  state: State,
  name: string,
  change: (step: StepState) => Partial<StepState>,
): State {
  return { ...state, steps: state.steps.map((step) => (step.name === name ? { ...step, ...change(step) } : step)) };
}

export function changeCompensation<State extends Steps>(
  state: State,
  name: string,
  change: (compensation: CompensationState) => Partial<CompensationState>,
): State {
  return changeStep(state, name, ({ compensation }) => ({
    compensation: { ...compensation, ...change(compensation) },
  }));
}

function fresh(name: string, registered: boolean): StepState {
  const none = { attempts: 0, failures: 0, completed: false, retryPending: false, error: null };
  return {
    ...none,
    name,
    open: false,
    interruptions: 0,
    uncertain: false,
    result: undefined,
    resultIn: null,
    recorded: {},
    wait: null,
    compensation: { ...none, registered, voidAttempts: 0, exhausted: false },
  };
}

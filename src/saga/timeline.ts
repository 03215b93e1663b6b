/** When the steps of an instance happened, read from its stream. */
import { parseJson } from '../domain/json-value.js';
import type { Store } from '../store/store.js';
import { sagaStreamId } from './events.js';

/** RFC 3339; null for what has not happened. */
export interface StepTimes {
  /** Of the last attempt. */
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** Of the last attempt of its compensation: when it ended, or else when it began. */
  readonly compensatedAt: string | null;
}

export interface Timeline {
  readonly startedAt: string | null;
  readonly steps: ReadonlyMap<string, StepTimes>;
}

const begins: readonly string[] = ['StepStarted', 'WaitStarted', 'SleepStarted'];
const ends: readonly string[] = [
  ...['StepCompleted', 'StepFailed', 'StepCompletedLate'],
  ...['EventReceived', 'WaitTimedOut', 'SleepEnded'],
];

const none: StepTimes = { startedAt: null, endedAt: null, compensatedAt: null };

export async function readTimeline({ log }: Store, saga: string, instance: string): Promise<Timeline> {
  const steps = new Map<string, StepTimes>();
  let startedAt: string | null = null;
  for await (const { events } of log.readStream(sagaStreamId(saga, instance))) {
    for (const { type, data, createdAt } of events) {
      if (type === 'SagaStarted') startedAt = createdAt;
      const change = changeOf(type, createdAt);
      if (change === undefined) continue;
      const { step } = parseJson(data, true) as { readonly step: string };
      steps.set(step, { ...(steps.get(step) ?? none), ...change });
    }
  }
  return { startedAt, steps };
}

function changeOf(type: string, at: string): Partial<StepTimes> | undefined {
  if (begins.includes(type)) return { startedAt: at, endedAt: null };
  if (ends.includes(type)) return { endedAt: at };
  return type.startsWith('Compensation') ? { compensatedAt: at } : undefined;
}

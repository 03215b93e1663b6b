/**
 * Drives one instance to its end: decide, record, act, record, again. Each act is recorded before it is done, so a
 * process that resumes knows what may have happened.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { EvstoreError, isEvstoreError } from '../domain/errors.js';
import type { Event } from '../projection/define/definition.js';
import { toEvent } from '../projection/define/event.js';
import { decide } from './decide.js';
import type { Saga } from './definition.js';
import type { SagaInstance } from './instance.js';
import type { SagaLog } from './log.js';
import type { SagaState } from './state.js';
import { doAction, doCompensation, type LateStep } from './step.js';

export interface Drive {
  readonly log: SagaLog;
  readonly saga: Saga;
  /** Once aborted, no act begins; an act that runs is finished and recorded. */
  readonly signal: AbortSignal;
  /** The event that started the instance, where the caller holds it; otherwise it is read from the log. */
  readonly trigger?: Event;
}

export type DriveEnd =
  | { readonly kind: 'ended'; readonly late: LateStep | undefined }
  | { readonly kind: 'stopped' }
  /** This code cannot drive it. */
  | { readonly kind: 'foreign'; readonly why: string };

/** @throws E_SUPERSEDED when another process drives the same instance */
export async function driveInstance(instance: SagaInstance, drive: Drive): Promise<DriveEnd> {
  try {
    return await driveToEnd(instance, drive);
  } catch (error) {
    if (!isEvstoreError(error) || error.code !== 'E_VERSION_CONFLICT') throw error;
    throw new EvstoreError('E_SUPERSEDED', `another process drives ${instance.state.saga} ${instance.state.instance}`, {
      why: 'Its stream has events that this process did not write.',
      cause: error,
    });
  }
}

async function driveToEnd(instance: SagaInstance, drive: Drive): Promise<DriveEnd> {
  const { log, saga, signal } = drive;
  let trigger = drive.trigger?.id === instance.state.trigger.id ? drive.trigger : undefined;
  let late: LateStep | undefined;
  for (;;) {
    const act = decide(instance.state, saga);
    if (act.kind === 'nothing') return { kind: 'ended', late };
    if (act.kind === 'foreign') return act;
    if (act.kind === 'record') {
      await instance.record(act.fact);
      continue;
    }
    if (signal.aborted) return { kind: 'stopped' };
    if (!(await pause(act.delayMs, signal))) return { kind: 'stopped' };
    trigger ??= await readTrigger(drive, instance.state);
    if (act.kind === 'action') late = await doAction(instance, act, { log, trigger });
    else await doCompensation(instance, act, { log, trigger });
  }
}

async function readTrigger({ log, saga }: Drive, { instance, trigger }: SagaState): Promise<Event> {
  const event = await log.find(trigger.id);
  if (event !== undefined) return toEvent(event, saga);
  throw new EvstoreError('E_CORRUPT', `the event that started ${saga.name} ${instance} is not in the store`, {
    why: `It is the ${trigger.type} with the id ${trigger.id}.`,
  });
}

/** Returns false when the signal ended it early. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  if (ms === 0) return true;
  return wait(ms, true, { signal }).catch(() => false);
}

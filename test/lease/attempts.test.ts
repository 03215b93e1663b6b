import { describe, expect, it } from 'vitest';
import { EvstoreError } from '../../src/domain/errors.js';
import { type Attempts, mayPass, repeat } from '../../src/lease/attempts.js';
import { errorOf } from '../support/events.js';

const busy = new EvstoreError('E_TIMEOUT', 'busy');

function attempts(changes: Partial<Attempts<string>>): Attempts<string> {
  return {
    maxWaitMs: 60_000,
    pauseMs: [1, 1],
    signal: new AbortController().signal,
    attempt: async () => 'done',
    settle: async () => undefined,
    giveUp: (error) => error,
    ...changes,
  };
}

describe('repeat', () => {
  it('repeats an attempt that found something moved, or failed, until it succeeds', async () => {
    const outcomes = [undefined, busy, 'done'];
    const attempt = async () => {
      const outcome = outcomes.shift();
      if (outcome instanceof Error) throw outcome;
      return outcome;
    };
    expect(await repeat(attempts({ attempt }))).toBe('done');
    expect(outcomes).toEqual([]);
  });

  it('returns what is found to be done after a failure', async () => {
    const attempt = () => Promise.reject(busy);
    expect(await repeat(attempts({ attempt, settle: async () => 'done after all' }))).toBe('done after all');
  });

  it('throws what settle throws, without another attempt', async () => {
    let made = 0;
    const attempt = async () => {
      made += 1;
      throw new EvstoreError('E_CONFIG', 'wrong');
    };
    await errorOf('E_CONFIG', repeat(attempts({ attempt, settle: (error) => Promise.reject(error) })));
    expect(made).toBe(1);
  });

  it('gives up with the last error once the time is over', async () => {
    const giveUp = (error: unknown) => new EvstoreError('E_LOCK_HELD', 'gave up', { cause: error });
    const error = await errorOf(
      'E_LOCK_HELD',
      repeat(attempts({ maxWaitMs: -1, attempt: () => Promise.reject(busy), giveUp })),
    );
    expect(error.cause).toBe(busy);
  });

  it('makes no attempt once the signal has aborted', async () => {
    let made = 0;
    const attempt = async () => {
      made += 1;
      return 'done';
    };
    await expect(repeat(attempts({ attempt, signal: AbortSignal.abort('stop') }))).rejects.toBe('stop');
    expect(made).toBe(0);
  });
});

it('a lost lease and a store out of reach may pass; a fault of the code does not', () => {
  for (const code of ['E_SUPERSEDED', 'E_CONNECT', 'E_TIMEOUT', 'E_OUTCOME_UNKNOWN'] as const) {
    expect(mayPass(new EvstoreError(code, 'x')), code).toBe(true);
  }
  expect(mayPass(new EvstoreError('E_HANDLER', 'x'))).toBe(false);
  expect(mayPass(new Error('x'))).toBe(false);
});

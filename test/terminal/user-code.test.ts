import { expect, test } from 'vitest';
import { giveUpWaiting, isLoading, Unfinished, waitForUserCode, whileLoading } from '../../src/terminal/user-code.js';

const long = { text: '1h', ms: 3_600_000 };
const never = () => new Promise<never>(() => {});

test('what user code returns or throws is passed on', async () => {
  expect(await waitForUserCode(long, () => 1)).toBe(1);
  expect(await waitForUserCode(long, async () => 2)).toBe(2);
  const throws = () => {
    throw new Error('no luck');
  };
  await expect(waitForUserCode(long, throws)).rejects.toThrow('no luck');
  expect(giveUpWaiting(), 'nothing is waited for any more').toBe(false);
});

test('a call that takes too long ends at its limit, and its signal aborts', async () => {
  let given: AbortSignal | undefined;
  const wait = waitForUserCode({ text: '20ms', ms: 20 }, (signal) => {
    given = signal;
    return never();
  });
  await expect(wait).rejects.toMatchObject({ message: 'took longer than 20ms', isLate: true });
  expect(given?.aborted).toBe(true);
});

test('a limit beyond the longest timer does not end at once', async () => {
  const wait = waitForUserCode(
    { text: '365d', ms: 365 * 86_400_000 },
    () => new Promise((resolve) => setTimeout(resolve, 20)),
  );
  await expect(wait).resolves.toBeUndefined();
});

test('another signal ends the wait with its reason', async () => {
  const stop = new AbortController();
  const wait = waitForUserCode(long, never, stop.signal);
  stop.abort(new Error('told to stop'));
  await expect(wait).rejects.toThrow('told to stop');
  await expect(waitForUserCode(long, never, stop.signal)).rejects.toThrow('told to stop');
  expect(giveUpWaiting()).toBe(false);
});

test('when nothing can happen any more, every wait ends, and a file counts as loaded', async () => {
  const waits = [waitForUserCode(long, never), whileLoading(never)];
  expect(isLoading()).toBe(true);
  expect(giveUpWaiting()).toBe(true);
  for (const wait of waits) {
    await expect(wait).rejects.toThrow(Unfinished);
    await expect(wait).rejects.toMatchObject({ isLate: false });
  }
  expect(isLoading()).toBe(false);
});

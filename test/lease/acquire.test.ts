import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { acquireLease, type LeaseWait } from '../../src/lease/acquire.js';
import { stateOf, thisProcess } from '../../src/store/process.js';
import type { Store } from '../../src/store/store.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { errorOf } from '../support/events.js';

const target = { kind: 'checkpoint', subscriptionId: 'orders' } as const;
const here = thisProcess() ?? '';
/** Boot and namespace of this process. */
const place = here.split(' ').slice(0, 2).join(' ');

async function endedProcess(): Promise<string> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  const { pid } = child;
  child.kill('SIGKILL');
  await once(child, 'close');
  return `${place} ${pid} 1`;
}

function hold(store: Store, process: string | null, ttlMs: number, steal = false) {
  return store.projections.acquireLease(target, { owner: 'other:1', process, ttlMs, steal });
}

/** Acquires it patiently, and returns what was told meanwhile. */
async function acquire(store: Store, maxWaitMs = 60_000): Promise<readonly LeaseWait[]> {
  const told: LeaseWait[] = [];
  const patience = { maxWaitMs, tellWaiting: (wait: LeaseWait) => void told.push(wait) };
  await acquireLease(store.projections, target, { owner: 'us:2', patience });
  return told;
}

it.runIf(process.platform === 'linux')('tells running, ended and foreign processes apart', async () => {
  expect(stateOf(here)).toBe('running');
  expect(stateOf(await endedProcess())).toBe('ended');
  // Another process got its pid.
  expect(stateOf(`${place} ${process.pid} 1`)).toBe('ended');
  // In a container on this host, on a host of the same name, and before this host started last.
  const [boot, namespace] = place.split(' ');
  expect(stateOf(`${boot} pid:[1] ${process.pid} 1`)).toBe('unknown');
  expect(stateOf(`00000000-0000-4000-8000-000000000000 ${namespace} ${process.pid} 1`)).toBe('unknown');
  expect(stateOf(null)).toBe('unknown');
  expect(stateOf('nonsense')).toBe('unknown');
});

it.runIf(process.platform === 'linux')('a killed process that its parent has not asked about has ended', async () => {
  // The shell replaces itself by a program that never asks for the exit code of the child.
  const parent = spawn('sh', ['-c', 'sleep 600 & echo $!; exec sleep 600']);
  const [pid] = await once(parent.stdout, 'data');
  process.kill(Number(pid), 'SIGKILL');
  try {
    const startedAt = (await import('node:fs')).readFileSync(`/proc/${Number(pid)}/stat`, 'utf8').split(' ')[21];
    await expect.poll(() => stateOf(`${place} ${Number(pid)} ${startedAt}`)).toBe('ended');
  } finally {
    parent.kill('SIGKILL');
  }
});

forEachEngine((engine) => {
  it('takes the lease of a process of this host that has ended at once', () =>
    withTestStore(engine, async ({ store }) => {
      await hold(store, await endedProcess(), 3_600_000);
      expect(await acquire(store, 0)).toEqual([]);
    }));

  it('refuses at once while the owner runs on this host', () =>
    withTestStore(engine, async ({ store }) => {
      await hold(store, here, 3_600_000);
      const error = await errorOf('E_LOCK_HELD', acquire(store, 3_600_000));
      expect(error).toMatchObject({ message: 'other:1 is working on orders', exitCode: 5 });
    }));

  it('waits for a lease of another host that is not renewed, and says so once', () =>
    withTestStore(engine, async ({ store }) => {
      await hold(store, null, 1_500);
      expect(await acquire(store)).toEqual([{ name: 'orders', owner: 'other:1', expiresInMs: expect.any(Number) }]);
    }));

  it('refuses once the owner on another host renews its lease', () =>
    withTestStore(engine, async ({ store }) => {
      const answer = await hold(store, null, 60_000);
      if (answer.held) throw new Error('held');
      const told: LeaseWait[] = [];
      const tellWaiting = (wait: LeaseWait) => {
        told.push(wait);
        void store.projections.renewLease(answer.lease, 120_000);
      };
      const patience = { maxWaitMs: 3_600_000, tellWaiting };
      await errorOf('E_LOCK_HELD', acquireLease(store.projections, target, { owner: 'us:2', patience }));
      expect(told).toHaveLength(1);
    }));

  it('gives up with E_TIMEOUT when it is not known in time whether the owner lives', () =>
    withTestStore(engine, async ({ store }) => {
      await hold(store, null, 3_600_000);
      const error = await errorOf('E_TIMEOUT', acquire(store, 50));
      expect(error.why).toContain('--max-wait');
    }));

  it('of several that see the same ended process, one gets the lease', () =>
    withTestStore(engine, async ({ store, open }) => {
      await hold(store, await endedProcess(), 3_600_000);
      const stores = await Promise.all(Array.from({ length: 6 }, open));
      const outcomes = await Promise.allSettled(stores.map((each) => acquire(each, 3_600_000)));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    }));
});

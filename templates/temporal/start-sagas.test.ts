/** Starts sagas from an event store in memory. Only Temporal is replaced: by a function that records what is started. */
import assert from 'node:assert/strict';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { type EventStore, openStore } from 'evstore';
import { test } from 'vitest';
import { workflowIdOf } from './saga.js';
import { sample } from './sample.js';
import { type SagaClient, startSagas } from './start-sagas.js';

const data = sample.data as Record<string, unknown>;

/** Refuses ids that it knows, as Temporal does. */
function recordStarts() {
  const started = new Map<string, Parameters<SagaClient['start']>[1]>();
  const start: SagaClient['start'] = async (type, options) => {
    if (started.has(options.workflowId))
      throw new WorkflowExecutionAlreadyStartedError('known', options.workflowId, type);
    started.set(options.workflowId, options);
  };
  return { started, client: { start } };
}

/** Handles this many events, and returns what was reported. */
async function handle(store: EventStore, client: SagaClient, count: number, after = 0) {
  const stop = new AbortController();
  const handled: string[] = [];
  const report = ({ workflowId, isNew, position }: { workflowId: string; isNew: boolean; position: number }) => {
    handled.push(`${position} ${workflowId} ${isNew ? 'started' : 'known'}`);
    if (handled.length === count) stop.abort();
  };
  await startSagas(store, client, { after, signal: stop.signal, report });
  return handled;
}

async function withStore(work: (store: EventStore) => Promise<void>): Promise<void> {
  const store = await openStore('sqlite::memory:', { create: true });
  try {
    await work(store);
  } finally {
    await store.close();
  }
}

test('each stream starts one workflow, with the id of its saga, and gets the event', () =>
  withStore(async (store) => {
    await store.append('Order-1', { type: 'OrderPlaced', data });
    await store.append('Order-2', [
      { type: 'SomethingElse', data: {} },
      { type: 'OrderPlaced', data },
      { type: 'OrderPlaced', data },
    ]);
    const { started, client } = recordStarts();
    assert.deepEqual(await handle(store, client, 3), [
      `1 ${workflowIdOf('Order-1')} started`,
      `3 ${workflowIdOf('Order-2')} started`,
      `4 ${workflowIdOf('Order-2')} known`,
    ]);
    const options = started.get(workflowIdOf('Order-1'));
    assert.equal(options?.workflowIdReusePolicy, 'REJECT_DUPLICATE');
    assert.equal(options.workflowIdConflictPolicy, 'FAIL');
    const [trigger] = options.args;
    assert.deepEqual({ ...trigger, eventId: '' }, { ...sample, streamId: 'Order-1', eventId: '' });
  }));

test('a second run starts nothing twice, and a position skips what was handled', () =>
  withStore(async (store) => {
    await store.append('Order-1', { type: 'OrderPlaced', data });
    await store.append('Order-2', { type: 'OrderPlaced', data });
    const { started, client } = recordStarts();
    await handle(store, client, 2);
    assert.deepEqual(await handle(store, client, 2), [
      `1 ${workflowIdOf('Order-1')} known`,
      `2 ${workflowIdOf('Order-2')} known`,
    ]);
    assert.deepEqual(await handle(store, client, 1, 1), [`2 ${workflowIdOf('Order-2')} known`]);
    assert.equal(started.size, 2);
  }));

test('an error of Temporal stops the starter before the event is reported', () =>
  withStore(async (store) => {
    await store.append('Order-1', { type: 'OrderPlaced', data });
    const start = async () => {
      throw new Error('unavailable');
    };
    await assert.rejects(handle(store, { start }, 1), /unavailable/);
  }));

test('a whole number that JSON would round is sent as its digits', () =>
  withStore(async (store) => {
    await store.append('Order-1', { type: 'OrderPlaced', data: { big: 9007199254740993n } });
    const { started, client } = recordStarts();
    await handle(store, client, 1);
    const [trigger] = started.get(workflowIdOf('Order-1'))?.args ?? [];
    assert.deepEqual(trigger?.data, { big: '9007199254740993' });
  }));

/** Runs the activities against a service on this machine: no Temporal server is needed. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { test } from 'vitest';
import { createActivities } from './activities.js';
import { workflowIdOf } from './saga.js';
import { sample, steps } from './sample.js';

interface Request {
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** Starts a service, and returns activities that call it. */
async function serve(answer: (response: ServerResponse, request: Request) => void) {
  const requests: Request[] = [];
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    const request = { path: incoming.url, headers: incoming.headers, body };
    requests.push(request);
    answer(response, request);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const activities = createActivities({ serviceUrl: `http://127.0.0.1:${port}`, heartbeatEveryMs: 20 });
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { activities, requests, close };
}

const environment = (streamId = sample.streamId) =>
  new MockActivityEnvironment({ workflowExecution: { workflowId: workflowIdOf(streamId), runId: 'run' } });

/** So that a test which waits for something else fails at last. */
function endLate(response: ServerResponse): void {
  void setTimeout(5_000, undefined, { ref: false }).then(() => response.end());
}

const withStatus = (status: number) => (response: ServerResponse) => void response.writeHead(status).end('"no"');

for (const { step, undo, path } of steps) {
  test(`${step} sends the trigger, and the same idempotency key in every attempt`, async () => {
    const { activities, requests, close } = await serve((response) => response.end('{"done":true}'));
    try {
      for (const _attempt of [1, 2]) {
        assert.deepEqual(await environment().run(activities[step], sample), { done: true });
      }
      const key = encodeURIComponent(`${workflowIdOf(sample.streamId)}/${path}`);
      const sent = requests.map(({ path, headers, body }) => ({ path, key: headers['idempotency-key'], body }));
      const expected = { path: `/${path}`, key, body: { trigger: sample } };
      assert.deepEqual(sent, [expected, expected]);
    } finally {
      close();
    }
  });

  test(`${undo} has a key of its own, and names the key of what it undoes`, async () => {
    const { activities, requests, close } = await serve((response) => response.end());
    try {
      await environment().run(activities[step], sample);
      assert.equal(await environment().run(activities[undo], sample), null);
      const [acted, undid] = requests;
      assert.equal(undid?.path, `/undo-${path}`);
      assert.deepEqual(undid.body, { trigger: sample, undoes: acted?.headers['idempotency-key'] });
      assert.notEqual(undid.headers['idempotency-key'], acted?.headers['idempotency-key']);
    } finally {
      close();
    }
  });

  test(`a refusal of ${step} is final, and a failure is retried`, async () => {
    for (const [status, nonRetryable] of [
      [400, true],
      [404, true],
      [422, true],
      [409, false],
      [429, false],
      [503, false],
    ] as const) {
      const { activities, close } = await serve(withStatus(status));
      try {
        await assert.rejects(environment().run(activities[step], sample), (error) => {
          assert.ok(error instanceof ApplicationFailure);
          assert.deepEqual(
            { status, type: error.type, final: error.nonRetryable },
            { status, type: `Http${status}`, final: nonRetryable },
          );
          return true;
        });
      } finally {
        close();
      }
    }
  });

  test(`${undo} is retried whatever the answer is`, async () => {
    for (const status of [400, 422, 503]) {
      const { activities, close } = await serve(withStatus(status));
      try {
        await assert.rejects(environment().run(activities[undo], sample), (error) => {
          assert.ok(error instanceof ApplicationFailure);
          assert.deepEqual({ status, final: error.nonRetryable }, { status, final: false });
          return true;
        });
      } finally {
        close();
      }
    }
  });
}

test('each saga has keys of its own, whatever the letters of its stream', async () => {
  const { activities, requests, close } = await serve((response) => response.end());
  try {
    const [{ step }] = steps;
    for (const streamId of ['Zürich-1', 'Zürich-2']) await environment(streamId).run(activities[step], sample);
    const keys = requests.map(({ headers }) => decodeURIComponent(String(headers['idempotency-key'])));
    assert.deepEqual(
      keys.map((key) => key.includes('Zürich')),
      [true, true],
    );
    assert.notEqual(keys[0], keys[1]);
  } finally {
    close();
  }
});

test('heartbeats are sent while the service works, and not after that', { timeout: 30_000 }, async () => {
  let beats = 0;
  const answers: (() => void)[] = [];
  const { activities, close } = await serve((response) => {
    answers.push(() => response.end());
    endLate(response);
  });
  try {
    const working = environment();
    working.on('heartbeat', () => {
      beats += 1;
      if (beats >= 2) for (const answer of answers) answer();
    });
    await working.run(activities[steps[0].step], sample);
    const sent = beats;
    assert.ok(sent >= 2, `${sent} heartbeats in five seconds`);
    await setTimeout(200);
    assert.equal(beats, sent);
  } finally {
    close();
  }
});

test('a cancelled step stops waiting for the service', { timeout: 30_000 }, async () => {
  const cancelled = environment();
  const { activities, close } = await serve((response) => {
    cancelled.cancel();
    endLate(response);
  });
  try {
    await assert.rejects(cancelled.run(activities[steps[0].step], sample), CancelledFailure);
  } finally {
    close();
  }
});

/** A process that drives sagas is told to stop by SIGTERM while an action runs. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestStore, forEachEngine, type TestStore } from '../support/engines.js';
import { append, collect, makeEvent } from '../support/events.js';
import { allowMoreTime } from '../support/more-time.js';
import { type Program, runProgram } from '../support/program.js';
import { until } from '../support/wait.js';
import { deploy, importOf } from '../trials/trial.js';

allowMoreTime('programs are started and stopped');

interface Line {
  readonly what: 'begun' | 'told' | 'ended';
  readonly key: string;
  readonly attempt: number;
  readonly reason?: string;
}

/** Its first attempt does not end before it is told to, and then only if it is to end. */
function codeOf(file: string, endsWhenTold: boolean): string {
  return `${importOf('defineSaga', 'saga/definition')}
import { appendFileSync } from 'node:fs';
const tell = (what, { idempotencyKey: key, attempt }, more = {}) =>
  appendFileSync(${JSON.stringify(file)}, JSON.stringify({ what, key, attempt, ...more }) + '\\n');
export default defineSaga({ name: 'stopped', version: 1, startOn: 'OrderPlaced' }).step('ship', {
  action: async (context) => {
    tell('begun', context);
    if (context.attempt > 1) return tell('ended', context);
    await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
    tell('told', context, { reason: context.signal.reason.message });
    if (!${endsWhenTold}) return new Promise(() => setInterval(() => {}, 1_000));
    tell('ended', context);
  },
});
`;
}

forEachEngine((engine) => {
  let place: TestStore;
  let parent: string;

  beforeAll(async () => {
    parent = mkdtempSync(join(tmpdir(), 'evstore-saga-'));
    place = await createTestStore(engine);
  });
  afterAll(async () => {
    await place.cleanup();
    rmSync(parent, { recursive: true, force: true });
  });

  const run = (folder: string, ...args: string[]): Program => {
    const env = { PATH: process.env.PATH, HOME: folder, EVSTORE_URL: place.url };
    return runProgram('bin/evstore.ts', ['run', '--sagas', ...args], { cwd: folder, env });
  };
  const linesOf = (file: string): readonly Line[] =>
    existsSync(file)
      ? readFileSync(file, 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as Line)
      : [];
  const factsOf = async (order: string) =>
    (await collect(place.store.log.readStream(`saga:stopped-${order}`))).map(({ type, data }) => ({
      type,
      data: JSON.parse(data) as Record<string, unknown>,
    }));
  const stopWhileItActs = async (name: string, endsWhenTold: boolean, grace: string) => {
    const order = `Order-${name}`;
    const file = join(parent, `${name}.ndjson`);
    const folder = deploy(parent, name, codeOf(file, endsWhenTold), 'sagas');
    await append(place.store, order, [makeEvent()]);
    const runner = run(folder, '--grace', grace);
    await until(() => linesOf(file).some(({ key }) => key.includes(order)), 'an attempt');
    await runner.kill('SIGTERM');
    expect(runner.process.signalCode, runner.stderr).toBe('SIGTERM');
    const lines = () => linesOf(file).filter((line) => line.key.includes(order));
    return { order, folder, lines };
  };

  test('an action that does not end in its grace is interrupted, and made again with its key by the next run', async () => {
    const { order, folder, lines } = await stopWhileItActs('stuck', false, '100ms');
    expect((await factsOf(order)).slice(-2)).toMatchObject([
      { type: 'StepStarted', data: { step: 'ship', attempt: 1 } },
      { type: 'StepInterrupted', data: { step: 'ship', attempt: 1, reason: expect.stringContaining('SIGTERM') } },
    ]);
    expect(lines().find(({ what }) => what === 'told')?.reason).toContain('SIGTERM');
    expect(await place.store.sagas.find({ saga: 'stopped', instance: order })).toMatchObject({ owner: null });

    const next = run(folder, '--once');
    expect(await next.ended, next.stderr).toBe(0);
    const types = (await factsOf(order)).map(({ type }) => type);
    expect(types.slice(-3)).toEqual(['StepStarted', 'StepCompleted', 'SagaCompleted']);
    expect(lines().map(({ what, attempt }) => `${what} ${attempt}`)).toEqual([
      'begun 1',
      'told 1',
      'begun 2',
      'ended 2',
    ]);
    expect(new Set(lines().map(({ key }) => key))).toEqual(new Set([`stopped/${order}/ship`]));
  });

  test('an action that ends in its grace is recorded, and not made again', async () => {
    const { order, folder, lines } = await stopWhileItActs('quick', true, '30s');
    expect((await factsOf(order)).at(-1)).toMatchObject({ type: 'StepCompleted', data: { step: 'ship', attempt: 1 } });

    const next = run(folder, '--once');
    expect(await next.ended, next.stderr).toBe(0);
    expect((await factsOf(order)).at(-1)?.type).toBe('SagaCompleted');
    expect(lines().map(({ what, attempt }) => `${what} ${attempt}`)).toEqual(['begun 1', 'told 1', 'ended 1']);
  });
});

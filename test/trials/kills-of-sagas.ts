/**
 * Two processes share the sagas of a store, and are killed again and again: at any time, at any statement, while they act,
 * just after an effect, and while they undo. Orders come and are paid meanwhile. At the end every saga has ended as its
 * number says, with its effects done or undone.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { newEventId } from '../../src/domain/uuid.js';
import { timeScale } from '../support/wait.js';
import { fateOf, type Mark, orderOf, ordersCode } from './orders.js';
import { checkOrders } from './orders-check.js';
import { deploy, evstore, finish, inFolder, succeed, type Trial, type TrialReport, type TrialStore } from './trial.js';

export interface SagaKills {
  readonly sagas: number;
  readonly kills: number;
  /** How long a saga waits for its payment, in seconds. */
  readonly timeout: number;
}

const kinds = ['at some time', 'while it acts', 'at some statement', 'after an effect', 'while it undoes'] as const;
const traps = { 'while it acts': 'do', 'after an effect': 'late', 'while it undoes': 'undo' } as const;
/** How long it may take until a process comes to the place where it is killed, in milliseconds. */
const comesToItMs = 5_000;

export function killSagas(trial: Trial, { sagas, kills, timeout }: SagaKills): Promise<TrialReport> {
  return inFolder(async (parent) => {
    const { test, random, enough = 20, say = () => {} } = trial;
    const file = join(parent, 'marks.ndjson');
    const trap = join(parent, 'trap');
    mkdirSync(trap);
    writeFileSync(file, '');
    const folder = deploy(parent, 'code', ordersCode(file, trap, `${timeout}s`), 'sagas');
    const findings: string[] = [];
    const count: Record<string, number> = Object.fromEntries(kinds.map((kind) => [`killed ${kind}`, 0]));
    const held = { running: 0, compensating: 0, waiting: 0 };
    const orders = new Orders(test, sagas);
    const start = (kind?: string) => {
      const stop = { step: 'any', nth: 50 + random.below(400), moment: 'before', signal: 'SIGKILL' } as const;
      return evstore(trial, folder, ['run', '--sagas'], kind === 'at some statement' ? { probe: { stop } } : {});
    };
    const runners = [start(), start()];

    for (let kill = 0; kill < kills && findings.length < enough; kill += 1) {
      const kind = kinds[kill % kinds.length] ?? 'at some time';
      await orders.place(Math.ceil((sagas * (kill + 1)) / kills));
      // Not long, so that on a slow machine too they are paid in time.
      await sleep(random.below(200));
      await orders.pay();
      let place = random.below(2);
      if (kind === 'at some time') await sleep(300 + random.below(1_000));
      else {
        if (kind === 'at some statement') {
          await runners[place]?.kill('SIGKILL');
          runners[place] = start(kind);
        } else writeFileSync(join(trap, traps[kind]), '');
        const ends = runners.map(async ({ ended }, index) => ended.then(() => index));
        place = await Promise.race([...ends, sleep(comesToItMs, place)]);
        if (kind in traps) rmSync(join(trap, traps[kind as keyof typeof traps]), { force: true });
      }
      const victim = runners[place];
      if (victim === undefined) continue;
      const isAlive = victim.process.exitCode === null && victim.process.signalCode === null;
      await victim.kill('SIGKILL');
      const what = `kill ${kill} ${kind}`;
      if (victim.process.signalCode !== 'SIGKILL') findings.push(`${what}: it ended by itself: ${victim.stderr}`);
      const name = `killed ${isAlive ? 'at some time' : kind}`;
      count[name] = (count[name] ?? 0) + 1;
      for (const { phase, instances } of await holdings(test, victim.process.pid)) held[phase] += instances;
      runners[place] = start();
      if (kill % 10 === 9) say(`${kill + 1} kills of sagas on ${test.engine}, ${findings.length} findings`);
    }

    await orders.place(sagas);
    await orders.pay();
    say(`all ${sagas} orders are placed and paid; waiting for their ends`);
    const left = await settled(test, sagas, (timeout * 1_000 + 30_000) * timeScale);
    if (left !== 0) findings.push(`${left} of ${sagas} sagas have not ended`);
    for (const runner of runners) {
      runner.process.kill('SIGTERM');
      await finish(runner, 'a runner that is told to stop', findings);
      const { exitCode, signalCode } = runner.process;
      if (signalCode !== 'SIGTERM')
        findings.push(`a runner that was told to stop ended with ${exitCode}: ${runner.stderr}`);
    }
    await orders.payLate();
    await succeed(evstore(trial, folder, ['run', '--once', '--sagas']), 'the last run', findings);
    const marks = readFileSync(file, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Mark);
    const checked = await checkOrders(test, sagas, marks);
    findings.push(...checked.findings);
    const { interruptedActs, interruptedUndos, repeated, ends } = checked;
    if (interruptedActs === 0) findings.push('no attempt was interrupted: the trial shows nothing');
    await succeed(evstore(trial, folder, ['verify']), 'verify', findings);
    const facts = {
      sagas,
      kills,
      ...count,
      'running when its process was killed': held.running,
      'compensating when its process was killed': held.compensating,
      'waiting at a kill': held.waiting,
      'attempts interrupted': interruptedActs,
      'compensations interrupted': interruptedUndos,
      acts: marks.filter(({ at }) => at === 'end').length,
      'effects repeated with their key': repeated,
      ...ends,
    };
    return { trial: 'kills-of-sagas', engine: test.engine, seed: random.seed, facts, findings };
  });
}

/** Places orders and pays them: before they are placed, at once, and some time later. */
class Orders {
  readonly #test: TrialStore;
  readonly #total: number;
  #placed = 0;
  #toPay: string[] = [];

  constructor(test: TrialStore, total: number) {
    this.#test = test;
    this.#total = total;
  }

  async place(upTo: number): Promise<void> {
    const now: string[] = [];
    for (; this.#placed < Math.min(upTo, this.#total); this.#placed += 1) {
      const order = orderOf(this.#placed);
      await this.#append(order, 'OrderPlaced', {});
      if (fateOf(order).isPaid) (this.#placed % 3 === 0 ? now : this.#toPay).push(order);
    }
    for (const order of now) await this.#pay(order);
  }

  async pay(): Promise<void> {
    for (const order of this.#toPay) await this.#pay(order);
    this.#toPay = [];
  }

  /** Those that have given up. */
  async payLate(): Promise<void> {
    for (let number = 0; number < this.#total; number += 1) {
      if (!fateOf(orderOf(number)).isPaid) await this.#pay(orderOf(number));
    }
  }

  #pay(order: string): Promise<void> {
    return this.#append(`Payment-${order}`, 'OrderPaid', { order });
  }

  async #append(streamId: string, type: string, data: unknown): Promise<void> {
    const event = { id: newEventId(), type, schemaVersion: 1, data: JSON.stringify(data), metadata: '{}' };
    await this.#test.store.log.append(streamId, [event], 'any');
  }
}

type Held = 'running' | 'compensating' | 'waiting';

/** What a process held when it was killed, and how many instances waited. */
async function holdings(
  { raw }: TrialStore,
  pid: number | undefined,
): Promise<readonly { readonly phase: Held; readonly instances: number }[]> {
  const rows = await raw.query(
    `select phase, count(*) as instances from evstore_sagas
      where owner like '%:${pid}/%' or phase = 'waiting' group by phase`,
  );
  return rows.map(({ phase, instances }) => ({ phase: phase as Held, instances: Number(instances) }));
}

/** Waits until all have ended, or none has for too long. Returns how many have not. */
async function settled({ raw }: TrialStore, sagas: number, patienceMs: number): Promise<number> {
  let left = sagas;
  for (let waitedMs = 0; left > 0 && waitedMs < patienceMs; waitedMs += 200) {
    const [row] = await raw.query(
      "select count(*) as ended from evstore_sagas where phase not in ('running', 'waiting', 'compensating')",
    );
    const now = sagas - Number(row?.ended ?? 0);
    if (now < left) waitedMs = 0;
    left = now;
    await sleep(200);
  }
  return left;
}

/** Writing processes that are killed, and what they had said by then. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AppendResult } from '../../src/domain/event.js';
import type { ImportedEvent, Store } from '../../src/store/store.js';
import type { Attempt, History } from './history.js';
import { type Program, runProgram } from './program.js';
import type { Random } from './random.js';

interface Announced {
  readonly streamId?: string;
  readonly imported?: readonly ImportedEvent[];
  readonly ids: readonly string[];
  readonly at: number;
}

function startWriter(url: string, name: string, rounds?: number): Program {
  return runProgram('test/faults/programs/writer.ts', [url, name, ...(rounds === undefined ? [] : [String(rounds)])]);
}

/** Starts a writer, kills it in the middle of something, and does again what it did not finish. */
export async function killWriter(
  store: Store,
  url: string,
  name: string,
  random: Random,
  history: History,
): Promise<void> {
  const writer = startWriter(url, name);
  await writer.printed(1 + random.below(20));
  await sleep(random.below(4));
  await writer.kill();
  const isTurnedAway = writer.stderr.includes('E_CONNECT');
  if (writer.lines.length === 0 && !isTurnedAway) throw new Error(`the writer ended by itself: ${writer.stderr}`);
  const unfinished = recordWriter(history, writer.lines);
  if (unfinished === undefined || random.below(2) === 0) return;
  const { announced, attempt } = unfinished;
  if (announced.imported === undefined) {
    const events = announced.ids.map((id) => ({
      id,
      type: 'Written',
      schemaVersion: 1,
      data: '{"n":1}',
      metadata: '{}',
    }));
    await store.log.append(announced.streamId ?? '', events, 'any');
  } else {
    await store.log.importEvents(announced.imported, { conflict: 'fail' });
  }
  history.succeed(attempt);
}

/** @returns what was announced and not acknowledged */
export function recordWriter(
  history: History,
  lines: readonly string[],
): { announced: Announced; attempt: Attempt } | undefined {
  for (let place = 0; place < lines.length; place += 2) {
    const announced = JSON.parse(lines[place] ?? '') as Announced;
    const attempt = history.invoke(announced.streamId ?? '', announced.ids, announced.at);
    const answer = lines[place + 1];
    if (answer === undefined) return { announced, attempt };
    const { ok, at } = JSON.parse(answer) as { ok: AppendResult['events']; at: number };
    history.succeed(attempt, ok, at);
  }
  return undefined;
}

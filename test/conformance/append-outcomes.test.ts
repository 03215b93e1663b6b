/** Every outcome in the table of docs/append.md, on both engines, through the library and through the program. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isEvstoreError } from '../../src/domain/errors.js';
import type { ExpectedVersion } from '../../src/domain/event.js';
import { newEventId } from '../../src/domain/uuid.js';
import { openStore } from '../../src/library/event-store.js';
import { runCli } from '../support/cli.js';
import { forEachEngine, withTestStore } from '../support/engines.js';

interface Line {
  readonly type: string;
  readonly id: string;
  readonly data: { readonly n: number };
}

interface Request {
  readonly streamId: string;
  readonly events: readonly Line[];
}

const makeLine = (n: number): Line => ({ type: 'Counted', id: newEventId(), data: { n } });

/** What is asked after `stored` became versions 2 and 3 of the stream. */
const requests: Readonly<Record<string, (streamId: string, stored: readonly Line[]) => Request>> = {
  'none is known': (streamId) => ({ streamId, events: [makeLine(1), makeLine(2)] }),
  'none is known, the stream is new': (streamId) => ({ streamId: `${streamId}-new`, events: [makeLine(1)] }),
  'all are known, equal content': (streamId, events) => ({ streamId, events }),
  'all are known, other content': (streamId, stored) => ({
    streamId,
    events: stored.map((event) => ({ ...event, data: { n: event.data.n + 1 } })),
  }),
  'all are known, in another order': (streamId, stored) => ({ streamId, events: [...stored].reverse() }),
  'all are known, in another stream': (streamId, events) => ({ streamId: `${streamId}-other`, events }),
  'some are known': (streamId, stored) => ({ streamId, events: [...stored, makeLine(3)] }),
};

const { columns, rows } = readTable('docs/append.md');

describe.each(rows)('$name', ({ name, outcomes }) => {
  const cells = columns.map((column, place) => ({ expected: column, outcome: outcomes[place] ?? '' }));
  forEachEngine((engine) => {
    it.each(cells)('expecting $expected: $outcome', ({ expected, outcome }) =>
      withTestStore(engine, async ({ url, raw }) => {
        const store = await openStore(url);
        for (const by of ['library', 'program'] as const) {
          const stored = [makeLine(1), makeLine(2)];
          await store.append(`Order-${by}`, { type: 'Opened', data: {} }, { expectedVersion: 'none' });
          const first = await store.append(`Order-${by}`, stored, { expectedVersion: 1 });
          const request = requests[name]?.(`Order-${by}`, stored);
          if (request === undefined) throw new Error(`no request for the row '${name}'`);
          const countEvents = async () => Number((await raw.query('select count(*) as n from events'))[0]?.n);
          const before = await countEvents();
          const answer =
            by === 'library' ? await callLibrary(url, request, expected) : await run(url, request, expected);
          const written = outcome === 'appended' ? request.events.length : 0;
          expect((await countEvents()) - before, by).toBe(written);
          expect(answer.outcome, by).toBe(outcome);
          if (outcome === 'deduplicated') expect(answer.facts.events, by).toEqual(first.events);
          if (['E_ID_CONFLICT', 'E_PARTIAL_DUPLICATE'].includes(outcome)) {
            const known = first.events.map((event) => ({ ...event, streamId: `Order-${by}` }));
            expect(answer.facts.known, by).toEqual(expect.arrayContaining(known));
          }
        }
        await store.close();
      }),
    );
  });
});

interface Answer {
  readonly outcome: string;
  /** Of the result, or the details of the error. */
  readonly facts: Readonly<Record<string, unknown>>;
}

async function callLibrary(url: string, { streamId, events }: Request, expected: string): Promise<Answer> {
  const expectedVersion = (/^\d+$/.test(expected) ? Number(expected) : expected) as ExpectedVersion;
  const store = await openStore(url);
  try {
    const result = await store.append(streamId, events, { expectedVersion });
    return { outcome: result.deduplicated ? 'deduplicated' : 'appended', facts: { ...result } };
  } catch (error) {
    if (!isEvstoreError(error)) throw error;
    return { outcome: error.code, facts: error.details };
  } finally {
    await store.close();
  }
}

async function run(url: string, { streamId, events }: Request, expected: string): Promise<Answer> {
  const stdin = events.map((event) => `${JSON.stringify(event)}\n`).join('');
  const argv = ['append', streamId, '--from', '-', '--expected-version', expected, '--json', '--store', url];
  const { code, stdout, stderr } = await runCli(argv, { stdin });
  if (code === 0) {
    const result = JSON.parse(stdout);
    return { outcome: result.deduplicated ? 'deduplicated' : 'appended', facts: result };
  }
  expect(code).toBe(4);
  const { error } = JSON.parse(stderr);
  return { outcome: error.code, facts: error.details };
}

/** Reads the first table of a page: the names of its columns but the first, and its rows by their first cell. */
function readTable(page: string) {
  const lines = readFileSync(page, 'utf8').split('\n');
  const [heading = [], , ...body] = lines
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
  return { columns: heading.slice(1), rows: body.map(([name = '', ...outcomes]) => ({ name, outcomes })) };
}

import { describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../../src/domain/event.js';
import { checkHistory, History } from './history.js';

/** Two acknowledged appends of two events each, read by two readers. */
function record(change: (events: RecordedEvent[]) => RecordedEvent[] = (events) => events): History {
  const history = new History();
  const log: RecordedEvent[] = [];
  for (const [streamId, ids] of [
    ['a', ['1', '2']],
    ['b', ['3', '4']],
  ] as const) {
    const attempt = history.invoke(streamId, ids);
    const events = ids.map((id, index) => makeRecorded(id, streamId, index + 1, log.length + index + 1));
    log.push(...events);
    history.succeed(attempt, events);
  }
  history.deliver('first', log);
  history.deliver('second', change([...log]));
  return history;
}

function makeRecorded(id: string, streamId: string, version: number, globalPosition: number): RecordedEvent {
  const createdAt = '2026-01-01T00:00:00.000Z';
  const content = { type: 'T', schemaVersion: 1, data: '1', metadata: '{}', streamType: '', createdAt };
  return { id, streamId, version, globalPosition, ...content };
}

describe('the history checker', () => {
  it('finds nothing in a clean history', () => expect(checkHistory(record())).toEqual([]));

  it.each([
    ['a lost event', (events: RecordedEvent[]) => events.slice(0, 3), /lost 1/],
    ['a lost batch', (events: RecordedEvent[]) => events.slice(2), /lost 2/],
    ['an event twice', (events: RecordedEvent[]) => [...events, ...events.slice(3)], /read twice/],
    ['another order', (events: RecordedEvent[]) => [...events.slice(2), ...events.slice(0, 2)], /position 1 after 4/],
    ['two orders', (events: RecordedEvent[]) => [...events.slice(2), ...events.slice(0, 2)], /different orders/],
    ['a version too early', (events: RecordedEvent[]) => events.slice(1), /version 2 where 1/],
    ['an event of nobody', (events: RecordedEvent[]) => [...events, makeRecorded('9', 'c', 1, 9)], /never appended/],
  ])('finds %s', (_, change, fault) => expect(checkHistory(record(change)).join('\n')).toMatch(fault));

  it('finds a failed append that was read, and half of an unknown one', () => {
    const failed = record();
    failed.fail(failed.attempts[1] ?? failed.invoke('x', []));
    expect(checkHistory(failed).join()).toMatch(/failed append 3,4/);
    const unknown = record((events) => events.slice(0, 3));
    for (const attempt of unknown.attempts) attempt.outcome = 'unknown';
    expect(checkHistory(unknown).join()).toMatch(/half of 3,4/);
    const gone = record((events) => events.slice(0, 2));
    gone.deliveries.delete('first');
    for (const attempt of gone.attempts) attempt.outcome = 'unknown';
    expect(checkHistory(gone)).toEqual([]);
  });

  it('finds positions against the order of acknowledgement', () => {
    const history = record();
    const late = history.invoke('a', ['5']);
    history.succeed(late, [{ id: '5', version: 3, globalPosition: 2 }]);
    expect(checkHistory(history).join()).toMatch(/position 2 was given after 4/);
  });

  it('finds checkpoints that go down or run ahead', () => {
    const history = record();
    history.observe('p', 2, 4);
    history.observe('p', 1, 4);
    history.observe('q', 5, 4);
    expect(checkHistory(history)).toEqual(['p went down from 2 to 1', 'q at 5 is above the safe head 4']);
  });
});

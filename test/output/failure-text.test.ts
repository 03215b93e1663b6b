import { expect, test } from 'vitest';
import type { RecordedEvent } from '../../src/domain/event.js';
import { summariseFailure, summariseReason } from '../../src/output/failure-text.js';
import { toHandlerError } from '../../src/projection/define/handler-error.js';

const event: RecordedEvent = {
  ...{ globalPosition: 10_875, id: 'e', streamId: 'Order-1', streamType: '', type: 'OrderCancelled', version: 1_200 },
  ...{ schemaVersion: 1, data: '{}', metadata: '{}', createdAt: '2026-01-01T12:20:01.000Z' },
};

/** As it is stored with a checkpoint. */
function stored(cause: unknown): string {
  const { message, why } = toHandlerError('invoices', event, 'on.OrderCancelled', cause);
  return `${message}: ${why}`;
}

test('the error of a handler is told with the event first, then what went wrong, then where', () => {
  expect(summariseFailure(stored(new TypeError('no reason (yet): none')))).toMatch(
    /^OrderCancelled 10,875: TypeError: no reason \(yet\): none {2}output\/failure-text\.test\.ts:\d+$/,
  );
  expect(summariseFailure(stored(new Error('no tariff')))).toMatch(/^OrderCancelled 10,875: no tariff {2}output\//);
  expect(summariseFailure(stored('text'))).toBe('OrderCancelled 10,875: on.OrderCancelled: text.');
});

test('of an event that is named already, only what went wrong and where', () => {
  const why = toHandlerError('invoices', event, 'on.OrderCancelled', new Error('no tariff')).why ?? '';
  expect(summariseReason(`${why}\n    at f (/a/b.ts:1:1)`)).toMatch(
    /^no tariff {2}output\/failure-text\.test\.ts:\d+$/,
  );
});

test('any other error is told by its first line', () => {
  for (const text of ['', 'timed out waiting for a lock', 'payment provider: 503 (again): later']) {
    expect(summariseFailure(`${text}\nsecond line`)).toBe(text);
  }
});

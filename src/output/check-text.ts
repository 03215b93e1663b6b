/** Describes what running the handlers over the log has shown. */

import { count } from '../domain/words.js';
import type { ProjectionCheck } from '../projection/check-handlers/check.js';
import type { CheckFault, HandlerTime } from '../projection/check-handlers/check-findings.js';
import { groupDigits } from './numbers.js';

const shownHandlers = 5;

/** Returns one line for each fact, to be printed below the plan. */
export function describeCheck({
  position,
  events,
  rows,
  faults,
  unhandled,
  handlers,
  safe,
}: ProjectionCheck): string[] {
  const made = rows === null ? '' : `, ${describeRows(rows)}`;
  const slowest = handlers.slice(0, shownHandlers);
  return [
    `  checked: ${count(events, 'event')} up to position ${groupDigits(position)}${made}`,
    ...(slowest.length === 0 ? [] : [`  slowest: ${slowest.map(describeTime).join(', ')}`]),
    ...(unhandled.length === 0
      ? []
      : [`  no handler for: ${unhandled.map(({ type, events }) => `${type} (${count(events, 'event')})`).join(', ')}`]),
    ...faults.map((fault) => `  unsafe: ${describeFault(fault)}`),
    ...(safe ? ['  safe: the handlers made the same rows from the same events twice'] : []),
  ];
}

export function describeFault({ kind, part, type, events, firstPosition, message }: CheckFault): string {
  const what = {
    error: 'throws',
    clock: 'reads the clock',
    random: 'uses randomness',
    unstable: 'is unstable',
    mutation: 'mutates',
  };
  const where = part.startsWith('on.') ? part : `${part} of ${type}`;
  return `${where} ${what[kind]}: ${message}, in ${count(events, 'event')}, the first at position ${groupDigits(firstPosition)}`;
}

function describeRows({ checked, estimate }: NonNullable<ProjectionCheck['rows']>): string {
  return checked === estimate ? count(checked, 'row') : `${groupDigits(checked)} of about ${count(estimate, 'row')}`;
}

function describeTime({ type, totalMs, meanMs }: HandlerTime): string {
  return `${type} ${totalMs} ms (${meanMs} ms each)`;
}

/** Finds events that other programs wrote and that `import` refuses, so that an export of the store is no whole copy. */

import { isEvstoreError } from '../domain/errors.js';
import type { RecordedEvent } from '../domain/event.js';
import type { Finding } from '../domain/finding.js';
import { checkStreamId } from '../domain/names.js';
import { groupDigits } from '../domain/numbers.js';
import { validateEvent } from '../domain/validate.js';
import { count } from '../domain/words.js';

interface Refused {
  readonly kind: string;
  readonly first: number;
  readonly reason: string;
  events: number;
}

/** Counts events by what is wrong with them, in bounded memory. */
export class RefusedEvents {
  readonly #groups = new Map<string, Refused>();

  add(event: RecordedEvent): void {
    const fault = findFault(event);
    if (fault === undefined) return;
    // Names of keys and numbers of bytes differ from event to event.
    const key = `${fault.kind} ${fault.reason.replace(/'.*'|\d+/g, '')}`;
    const known = this.#groups.get(key);
    if (known === undefined) this.#groups.set(key, { ...fault, first: event.globalPosition, events: 1 });
    else known.events += 1;
  }

  findings(): readonly Finding[] {
    return [...this.#groups.values()].map(({ kind, events, first, reason }) => ({
      kind,
      severity: 'warning',
      subject: 'log',
      detail: `has ${count(events, 'event')} that import refuses, the first at position ${groupDigits(first)}: ${reason}`,
      next: `evstore read --after ${first - 1} -n 1`,
    }));
  }
}

/** Checks as `import` does. */
function findFault(event: RecordedEvent): Pick<Refused, 'kind' | 'reason'> | undefined {
  try {
    checkStreamId(event.streamId);
    validateEvent(event, '', { allowLarge: true });
    return undefined;
  } catch (error) {
    if (!isEvstoreError(error)) throw error;
    const { message, details } = error;
    const [what = ''] = /^(data|metadata|createdAt)\b/.exec(message) ?? [];
    const kind = what === '' ? 'refused-name' : `refused-${what === 'createdAt' ? 'time' : what}`;
    return { kind, reason: details.reason === undefined ? message : `${what}: ${details.reason}` };
  }
}

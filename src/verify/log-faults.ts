/** Collects faults of events, in bounded memory. */

import type { Finding } from '../domain/finding.js';
import { maxOrdinaryBytes } from '../domain/limits.js';
import { groupDigits } from '../domain/numbers.js';
import { shellWord } from '../domain/shell-word.js';
import { count as describeCount } from '../domain/words.js';
import type { Break, Inspection, Occurrences } from '../store/store.js';

/** Faults of one kind that are named; further ones are counted. */
const maxNamed = 100;

const none: Occurrences = { events: 0, first: null };

export class LogFaults {
  readonly #named: Finding[] = [];
  readonly #counts = new Map<Break['kind'], number>();
  #events = 0;
  #oversized = none;
  #uncorrelated = none;

  get events(): number {
    return this.#events;
  }

  add({ events, oversized, uncorrelated, breaks }: Inspection): void {
    this.#events += events;
    this.#oversized = join(this.#oversized, oversized);
    this.#uncorrelated = join(this.#uncorrelated, uncorrelated);
    for (const each of breaks) {
      const count = (this.#counts.get(each.kind) ?? 0) + 1;
      this.#counts.set(each.kind, count);
      if (count <= maxNamed) this.#named.push(toFinding(each));
    }
  }

  findings(): readonly Finding[] {
    const more = [...this.#counts].filter(([, count]) => count > maxNamed).map(toRemainder);
    const kilobytes = maxOrdinaryBytes / 1024;
    return [
      ...this.#named,
      ...more,
      ...toWarning('oversized', this.#oversized, `above ${kilobytes} KB`),
      ...toWarning('uncorrelated', this.#uncorrelated, 'without a correlation id'),
    ];
  }
}

function join(a: Occurrences, b: Occurrences): Occurrences {
  return { events: a.events + b.events, first: a.first ?? b.first };
}

function toFinding(fault: Break): Finding {
  const { kind, streamId, version } = fault;
  const from = Math.max(1, version - 1);
  const next = `evstore read ${shellWord(streamId)} --from-version ${from} -n 2`;
  return { kind, severity: 'error', subject: streamId, detail: describe(fault), next };
}

function describe({ kind, version, globalPosition, id, other }: Break): string {
  const here = `version ${version} at position ${groupDigits(globalPosition)}`;
  if (kind === 'missing-version') return `has no version ${version - 1} before ${here}`;
  if (kind === 'wrong-order') return `has ${here}, and version ${version - 1} after it at ${other}`;
  if (kind === 'duplicate-version') return `has ${here}, and the same version at ${other}`;
  return `has ${here} with the id ${id}, which the event at ${other} has too`;
}

function toRemainder([kind, count]: readonly [Break['kind'], number]): Finding {
  const detail = `has ${describeCount(count - maxNamed, 'more event')} of this kind`;
  return { kind, severity: 'error', subject: 'log', detail, next: null };
}

function toWarning(kind: string, { events, first }: Occurrences, what: string): readonly Finding[] {
  if (first === null) return [];
  const detail = `has ${describeCount(events, 'event')} ${what}, the first at position ${groupDigits(first)}`;
  return [{ kind, severity: 'warning', subject: 'log', detail, next: `evstore read --after ${first - 1} -n 1` }];
}

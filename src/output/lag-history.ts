/** What was measured during the last minute, by key. */

const windowMs = 60_000;

interface Sample {
  readonly at: number;
  readonly value: number;
}

export class LagHistory {
  readonly #samples = new Map<string, Sample[]>();

  /** Adds values that were measured at one time; forgets what is older than a minute, and keys that are gone. */
  record(at: number, values: ReadonlyMap<string, number>): void {
    for (const [key, value] of values) {
      const kept = this.#of(key).filter((sample) => at - sample.at < windowMs);
      this.#samples.set(key, [...kept, { at, value }]);
    }
    for (const key of this.#samples.keys()) if (!values.has(key)) this.#samples.delete(key);
  }

  /** Returns the highest value of each part of the last minute; where nothing was measured, the one before it. */
  values(key: string, parts: number, now: number): (number | undefined)[] {
    const samples = this.#of(key);
    let last: number | undefined;
    return divide(parts, now).map(([from, to]) => {
      const inside = samples.filter(({ at }) => at > from && at <= to).map(({ value }) => value);
      const highest = inside.length > 0 ? Math.max(...inside) : last;
      last = inside.at(-1) ?? last;
      return highest;
    });
  }

  /** Returns by how much a rising value rose each second, in each part of the last minute. */
  rates(key: string, parts: number, now: number): (number | undefined)[] {
    const samples = this.#of(key);
    return divide(parts, now).map(([from, to]) => {
      const start = samples.findLast(({ at }) => at <= from) ?? samples.find(({ at }) => at > from);
      const end = samples.findLast(({ at }) => at <= to);
      return start === undefined || end === undefined ? undefined : rateBetween(start, end);
    });
  }

  /** Returns by how much it rose each second during the last minute; undefined before the second measurement. */
  perSecond(key: string): number | undefined {
    const samples = this.#of(key);
    const [first, last] = [samples[0], samples.at(-1)];
    return first === undefined || last === undefined ? undefined : rateBetween(first, last);
  }

  #of(key: string): readonly Sample[] {
    return this.#samples.get(key) ?? [];
  }
}

function rateBetween(start: Sample, end: Sample): number | undefined {
  const elapsed = end.at - start.at;
  return elapsed <= 0 ? undefined : Math.max(0, (end.value - start.value) / elapsed) * 1_000;
}

function divide(parts: number, now: number): (readonly [from: number, to: number])[] {
  const length = windowMs / parts;
  return Array.from({ length: parts }, (_, part) => {
    const to = now - (parts - 1 - part) * length;
    return [to - length, to] as const;
  });
}

/** Detects a function whose result depends on more than its arguments: on the clock or on random numbers. */
import nodeCrypto from 'node:crypto';

export type Impurity = 'clock' | 'random';

/** What was used, as written in code: `Date.now`. */
export type Uses = ReadonlyMap<string, Impurity>;

export interface Watched {
  readonly outcome: { readonly value: unknown } | { readonly error: unknown };
  readonly uses: Uses;
  readonly ms: number;
}

interface Replacement {
  readonly owner: Record<string, unknown>;
  readonly name: string;
  readonly watched: unknown;
}

const RealDate = Date;
const now = performance.now.bind(performance);
const none: Uses = new Map();
let uses: Map<string, Impurity> | undefined;

/** What cannot be replaced calls one that is: getRandomValues of node:crypto. */
const replacements: readonly Replacement[] = [
  { owner: globalThis as never, name: 'Date', watched: watchDate() },
  watchFunction(Math, 'random', 'random', 'Math.random'),
  watchFunction(performance, 'now', 'clock', 'performance.now'),
  ...['randomUUID', 'getRandomValues'].flatMap((name) =>
    [globalThis.crypto, nodeCrypto].map((owner) => watchFunction(owner, name, 'random', `crypto.${name}`)),
  ),
].filter(({ owner, name }) => Object.getOwnPropertyDescriptor(owner, name)?.configurable !== false);

/** Runs work once, synchronously, and restores everything afterwards, even if it throws. */
export function watchImpurity(work: () => unknown): Watched {
  uses = undefined;
  const before = replacements.map(replace);
  let outcome: Watched['outcome'];
  const startedAt = now();
  let endedAt = startedAt;
  try {
    outcome = { value: work() };
  } catch (error) {
    outcome = { error };
  } finally {
    endedAt = now();
    for (const [index, { owner, name }] of replacements.entries()) {
      if (before[index] === undefined) delete owner[name];
      else owner[name] = before[index];
    }
  }
  return { outcome, uses: uses ?? none, ms: endedAt - startedAt };
}

/** @returns the own property it replaced; undefined for an inherited one */
function replace({ owner, name, watched }: Replacement): unknown {
  const own = Object.hasOwn(owner, name) ? owner[name] : undefined;
  owner[name] = watched;
  return own;
}

function note(use: string, kind: Impurity): void {
  uses ??= new Map();
  uses.set(use, kind);
}

/** A date made from arguments does not read the clock. */
function watchDate(): DateConstructor {
  const watchedNow = () => {
    note('Date.now', 'clock');
    return RealDate.now();
  };
  return new Proxy(RealDate, {
    construct(target, args, newTarget) {
      if (args.length === 0) note('new Date()', 'clock');
      return Reflect.construct(target, args, newTarget);
    },
    apply(target) {
      note('Date()', 'clock');
      return target();
    },
    get: (target, name, receiver) => (name === 'now' ? watchedNow : Reflect.get(target, name, receiver)),
  });
}

function watchFunction(owner: object, name: string, kind: Impurity, use: string): Replacement {
  const real = Reflect.get(owner, name) as (...args: unknown[]) => unknown;
  const watched = (...args: unknown[]): unknown => {
    note(use, kind);
    return Reflect.apply(real, owner, args);
  };
  return { owner: owner as Replacement['owner'], name, watched };
}

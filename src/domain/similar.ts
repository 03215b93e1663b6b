/** Finds things by name, and the name that was probably meant when there is none. */
import { EvstoreError } from './errors.js';

/**
 * Returns the candidate that `name` may be a typo of; ignores case. A name with other numbers is the name of another thing,
 * and of two that are equally near neither is meant more than the other.
 */
export function findSimilar(name: string, candidates: readonly string[]): string | undefined {
  const lower = name.toLowerCase();
  const most = mostEdits(name);
  const near = [...new Set(candidates)].flatMap((candidate) => {
    const distance = editDistance(lower, candidate.toLowerCase(), most + 1);
    const isSimilar = distance <= most && distance <= candidate.length / 3 && numbersIn(candidate) === numbersIn(name);
    return isSimilar ? [{ candidate, distance }] : [];
  });
  const best = Math.min(...near.map(({ distance }) => distance));
  const [nearest, another] = near.filter(({ distance }) => distance === best);
  return another === undefined ? nearest?.candidate : undefined;
}

/** One letter in a short word, and never so many that another word is meant. */
function mostEdits({ length }: string): number {
  return Math.min(3, Math.max(1, Math.floor(length / 4)));
}

function numbersIn(text: string): string {
  return (text.match(/\p{Nd}+/gu) ?? []).join(' ');
}

/** Insertions, deletions, replacements and exchanges of neighbours; `limit` when there are as many or more. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let earlier: readonly number[] = [];
  let previous: readonly number[] = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const areExchanged = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const exchanged = areExchanged ? (earlier[column - 2] ?? limit) + 1 : limit;
      current.push(Math.min(replaced, exchanged, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    [earlier, previous] = [previous, current];
  }
  return Math.min(limit, previous[b.length] ?? limit);
}

/**
 * Returns the items with these names, or all of them when no name is given.
 * @throws E_NOT_FOUND with the nearest name there is
 */
export function selectByName<Item>(
  items: readonly Item[],
  names: readonly string[],
  nameOf: (item: Item) => string,
): readonly Item[] {
  if (names.length === 0) return items;
  const known = [...new Set(items.map(nameOf))];
  return [...new Set(names)].map((name) => {
    const found = items.find((item) => nameOf(item) === name);
    if (found === undefined) throw unknownProjection(name, known);
    return found;
  });
}

/** Returns "Did you mean …?" for an unknown name; undefined when it is known, or when no other name is near. */
export function describeMeant(known: readonly { readonly name: string }[], name: string): string | undefined {
  const names = known.map((each) => each.name);
  const nearest = names.includes(name) ? undefined : findSimilar(name, names);
  return nearest === undefined ? undefined : `Did you mean ${nearest}?`;
}

function unknownProjection(name: string, known: readonly string[]): EvstoreError {
  const all = known.length === 0 ? 'This store has none.' : `There are: ${known.join(', ')}.`;
  return new EvstoreError('E_NOT_FOUND', `no projection is called '${name}'`, {
    why:
      describeMeant(
        known.map((each) => ({ name: each })),
        name,
      ) ?? all,
    next: 'evstore projections',
    details: { name, known },
  });
}

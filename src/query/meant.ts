/** Finds what a person probably meant by a text that names nothing in the store. */
import type { ErrorFacts } from '../domain/errors.js';
import { categoryOf } from '../domain/names.js';
import { shellWord } from '../domain/shell-word.js';
import { findSimilar } from '../domain/similar.js';
import type { Condition, Literal } from '../domain/where/condition.js';
import type { Store } from '../store/store.js';

/** Returns undefined when it is nothing that the store has. */
export async function findMeant({ log }: Store, text: string): Promise<ErrorFacts | undefined> {
  const [, streamId = text, version] = /^(.+)[@ ](\d+)$/.exec(text) ?? [];
  for (const [name, at] of [[text], [streamId, version]] as const) {
    for await (const { events } of log.readStream(name, { limit: 1 })) {
      if (events.length === 0) continue;
      const range = at === undefined ? '' : ` --from-version ${at} --to-version ${at}`;
      return {
        why: at === undefined ? 'It is the name of a stream.' : `It is a version of the stream ${name}.`,
        next: `evstore read ${shellWord(name)}${range}`,
        details: { streamId: name },
      };
    }
  }
  const [stream] = await log.streams({ prefix: text, limit: 1 });
  if (stream === undefined) return undefined;
  return {
    why: `The names of streams such as ${stream.streamId} begin with it.`,
    next: `evstore streams --prefix ${shellWord(text)}`,
    details: { prefix: text },
  };
}

export interface AskedNames {
  readonly types: readonly string[];
  readonly categories: readonly string[];
}

/** Names that are looked at to find the category that was meant. */
const mostNear = 1_000;

/** Says of each type and category that no event has it, and which was probably meant. Reads indexes, never the log. */
export async function describeUnknownNames(
  { log, statistics }: Pick<Store, 'log' | 'statistics'>,
  { types, categories }: AskedNames,
): Promise<readonly string[]> {
  const known = types.length === 0 ? [] : (await statistics.types()).map(({ type }) => type);
  const found = types
    .filter((type) => !known.includes(type))
    .map((type) => describeUnknown(`no event has the type ${type}`, nearestTo(type, known), 'evstore types'));
  for (const category of categories) {
    const [stream] = await log.streams({ category, limit: 1 });
    if (stream !== undefined) continue;
    const begin = [...category].slice(0, Math.max(1, Math.ceil(category.length / 2))).join('');
    const near = await log.streams({ prefix: begin, limit: mostNear });
    const names = [...new Set(near.map(({ streamId }) => categoryOf(streamId)))];
    found.push(
      describeUnknown(`no stream is in the category ${category}`, nearestTo(category, names), 'evstore streams'),
    );
  }
  return found;
}

/** A typing mistake, or the beginning of one name only. */
function nearestTo(name: string, known: readonly string[]): string | undefined {
  const longer = known.filter((each) => each.toLowerCase().startsWith(name.toLowerCase()));
  return findSimilar(name, known) ?? (longer.length === 1 ? longer[0] : undefined);
}

function describeUnknown(what: string, meant: string | undefined, list: string): string {
  return meant === undefined ? `${what}; see: ${list}` : `${what}; did you mean ${meant}?`;
}

/** Returns the types that a condition compares with. */
export function typesIn(condition: Condition): readonly string[] {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return condition.terms.flatMap(typesIn);
    case 'not':
      return typesIn(condition.term);
    case 'compare':
      return condition.place.root === 'type' && condition.operator === '=' ? textsOf([condition.value]) : [];
    case 'in':
      return condition.place.root === 'type' ? textsOf(condition.values) : [];
    default:
      return [];
  }
}

function textsOf(values: readonly Literal[]): readonly string[] {
  return values.flatMap((value) => (value.type === 'string' ? [value.text] : []));
}

/**
 * A text that is cut out of a longer one keeps all of that in memory, and what an event holds is cut out of thousands of
 * events: what outlives the batch is to be a copy.
 */

/** Shorter ones are copied by whoever cuts them. */
const shortestCut = 13;

/** The same text, in memory of its own. */
export function detach(text: string): string {
  return text.length < shortestCut ? text : `${text} `.slice(0, -1);
}

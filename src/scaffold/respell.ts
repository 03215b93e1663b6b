/** Replaces names in the text of a template. Pure. */

export type Lines = readonly string[];

/** Which lines are repeated. */
export interface Rule {
  /** The names of the template. */
  readonly names: readonly string[];
  readonly isIn: (line: string, name: string) => boolean;
  /**
   * Turns the lines that name one name into lines for each of the user's.
   * @param before the line in front of them
   */
  readonly make: (lines: Lines, name: string, before: string) => Lines;
}

/**
 * Replaces consecutive lines that name names of one rule by lines for each of the user's, made from the lines of the first
 * name.
 */
export function repeatRuns(lines: Lines, rules: readonly Rule[]): Lines {
  const made: string[] = [];
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? '';
    const rule = rules.find(({ names, isIn }) => names.some((name) => isIn(line, name)));
    const name = rule?.names.find((each) => rule.isIn(line, each));
    if (rule === undefined || name === undefined) {
      made.push(line);
      at += 1;
      continue;
    }
    const rest = lines.slice(at);
    const length = countWhile(rest, (each) => rule.names.some((known) => rule.isIn(each, known)));
    const ofFirst = rest.slice(
      0,
      countWhile(rest, (each) => rule.names.find((known) => rule.isIn(each, known)) === name),
    );
    made.push(...rule.make(ofFirst, name, lines[at - 1] ?? ''));
    at += length;
  }
  return made;
}

function countWhile(lines: Lines, holds: (line: string) => boolean): number {
  const end = lines.findIndex((line) => !holds(line));
  return end === -1 ? lines.length : end;
}

/** Replaces in one pass, so that inserted text is not replaced again. */
export function replaceWords(text: string, spellings: ReadonlyMap<string, string>): string {
  const words = [...spellings.keys()].sort((a, b) => b.length - a.length);
  const pattern = words.map((word) => word.replace(/[.*+?^$()|[\]\\{}]/g, '\\$&')).join('|');
  return text.replace(
    new RegExp(`(?<![A-Za-z0-9])(?:${pattern})(?![a-z0-9])`, 'g'),
    (word) => spellings.get(word) ?? word,
  );
}

/** Reads events as lines that SQLite builds, which this process passes on unchanged. */
import { packLines, renderEventLine } from '../../../domain/event-lines.js';
import type { Session } from '../connection/database.js';
import type { FilteredStatement } from '../connection/filter.js';
import { readAt } from './read-events.js';

const beforePosition = '{"globalPosition":'.length;
const afterTime = '"}'.length;
const [quote, point, digit0, digit9, letterT, letterZ] = [34, 46, 48, 57, 84, 90];

export interface LinePage {
  readonly lines: Uint8Array;
  readonly count: number;
  readonly characters: number;
  /** Position of the last one; 0 without any. */
  readonly last: number;
}

export function readLines(session: Session, { text, parameters }: FilteredStatement): LinePage {
  let characters = 0;
  const lines = session.texts(text, parameters).map((line) => {
    characters += line.length;
    return hasUsualTime(line) ? line : renderEventLine(readAt(session, positionOf(line)));
  });
  const last = lines.at(-1);
  return { lines: packLines(lines), count: lines.length, characters, last: last === undefined ? 0 : positionOf(last) };
}

function positionOf(line: string): number {
  return Number(line.slice(beforePosition, line.indexOf(',', beforePosition)));
}

/** Returns true when the line ends with `2026-01-31T09:30:00.123Z`, or six digits of which the last three are not 0. */
function hasUsualTime(line: string): boolean {
  const end = line.length - afterTime;
  const last = line.charCodeAt(end - 2);
  if (line.charCodeAt(end - 1) !== letterZ || last < digit0 || last > digit9) return false;
  return isTimeAt(line, end - 24) || (isTimeAt(line, end - 27) && !line.startsWith('000', end - 4));
}

function isTimeAt(line: string, from: number): boolean {
  return (
    line.charCodeAt(from - 1) === quote &&
    line.charCodeAt(from + 10) === letterT &&
    line.charCodeAt(from + 19) === point
  );
}

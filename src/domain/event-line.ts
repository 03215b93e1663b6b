/** A line of NDJSON that describes an event: `append --from` and `import` read it, `export` writes it. */
import { EvstoreError } from './errors.js';
import type { JsonText } from './event.js';
import { scanMembers } from './json.js';
import { isObject } from './raw-json.js';

/** The members of the line; no defaults are filled in. */
export interface EventLine {
  readonly streamId?: string;
  readonly type: string;
  readonly data?: JsonText;
  readonly metadata?: JsonText;
  readonly id?: string;
  readonly createdAt?: string;
  readonly streamType?: string;
  readonly schemaVersion?: number;
}

const texts = ['streamId', 'type', 'id', 'createdAt', 'streamType'] as const;
/** The place of the event in the store it was read from; another store assigns its own. */
const places = ['globalPosition', 'version'];
const known = [...texts, ...places, 'data', 'metadata', 'schemaVersion'];

/** @throws E_INVALID_INPUT naming the column where the line is not JSON, or the member that is wrong */
export function parseEventLine(line: string): EventLine {
  const members = new Map<string, JsonText>();
  const fault = scanMembers(line, members);
  if (/^\s*\[/.test(line)) {
    throw invalid('a JSON array, not one event a line', "jq -c '.[]' FILE writes an array as lines.");
  }
  if (fault !== undefined && line.trim() === '{') {
    throw invalid('an object over several lines, not one event a line', 'jq -c . FILE writes each object on one line.');
  }
  if (fault !== undefined) {
    throw new EvstoreError('E_INVALID_INPUT', 'the line is not JSON that can be stored', {
      why: `Column ${fault.column}: ${fault.reason}.`,
      details: { column: fault.column, reason: fault.reason },
    });
  }
  if (!isObject(line)) throw invalid('not a JSON object', 'A line is {"type":…,"data":…}.');
  const said: { -readonly [Member in keyof EventLine]?: EventLine[Member] } = {};
  for (const [key, raw] of members) {
    if (key === 'data' || key === 'metadata') said[key] = raw;
    else if (key === 'schemaVersion') said[key] = readNumber(key, raw);
    else if (isText(key)) said[key] = readText(key, raw);
    else if (!places.includes(key)) throw invalid(`unknown member '${key}'`, `Known are ${known.join(', ')}.`);
  }
  if (!hasType(said)) throw invalid("the member 'type' is missing");
  return said;
}

function hasType(said: Partial<EventLine>): said is EventLine {
  return said.type !== undefined;
}

function isText(key: string): key is (typeof texts)[number] {
  return (texts as readonly string[]).includes(key);
}

function readText(key: string, raw: JsonText): string {
  if (!raw.startsWith('"')) throw invalid(`the member '${key}' is not a string`);
  return raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1);
}

function readNumber(key: string, raw: JsonText): number {
  if (!/^\d+$/.test(raw)) throw invalid(`the member '${key}' is not a whole number`);
  return Number(raw);
}

function invalid(what: string, why?: string): EvstoreError {
  return new EvstoreError('E_INVALID_INPUT', what, { why });
}

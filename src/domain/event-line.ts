/** A line of NDJSON that describes an event: what `append --from` and `import` read, and `export` writes. */
import { EvstoreError } from './errors.js';
import type { JsonText } from './event.js';
import { scanJson } from './json.js';
import { splitMembers } from './raw-json.js';

/** What the line says; nothing is filled in. */
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
/** Where the event stood in the store it was read from: the next store decides that anew. */
const places = ['globalPosition', 'version'];
const known: ReadonlySet<string> = new Set([...texts, ...places, 'data', 'metadata', 'schemaVersion']);

/** @throws E_INVALID_INPUT with the column where the line is not JSON, and the member that is not what it should be */
export function parseEventLine(line: string): EventLine {
  const fault = scanJson(line);
  if (fault !== undefined) {
    throw new EvstoreError('E_INVALID_INPUT', 'not JSON that can be stored', {
      why: `Column ${fault.column}: ${fault.reason}.`,
      details: { column: fault.column, reason: fault.reason },
    });
  }
  const members = splitMembers(line);
  if (members === undefined) throw invalid('not a JSON object', 'A line is {"type":…,"data":…}.');
  for (const key of members.keys()) {
    if (!known.has(key)) throw invalid(`unknown member '${key}'`, `Known are ${[...known].join(', ')}.`);
  }
  const type = readText(members, 'type');
  if (type === undefined) throw invalid("the member 'type' is missing");
  const read = Object.fromEntries(texts.map((key) => [key, readText(members, key)]));
  const payload = { data: members.get('data'), metadata: members.get('metadata') };
  const said = { ...read, ...payload, schemaVersion: readNumber(members, 'schemaVersion') };
  return { ...Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)), type };
}

function readText(members: ReadonlyMap<string, JsonText>, key: string): string | undefined {
  const raw = members.get(key);
  if (raw === undefined) return undefined;
  if (!raw.startsWith('"')) throw invalid(`the member '${key}' is not a text`);
  return JSON.parse(raw) as string;
}

function readNumber(members: ReadonlyMap<string, JsonText>, key: string): number | undefined {
  const raw = members.get(key);
  if (raw === undefined) return undefined;
  if (!/^\d+$/.test(raw)) throw invalid(`the member '${key}' is not a whole number`);
  return Number(raw);
}

function invalid(what: string, why?: string): EvstoreError {
  return new EvstoreError('E_INVALID_INPUT', what, { why });
}

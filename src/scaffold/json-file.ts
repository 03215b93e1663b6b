/** Reads JSON files that people write, with comments and commas too many. */
import { readFileSync } from 'node:fs';

/** Returns undefined for a file that is none, or that is not JSON. */
export function readJsonFile(file: string): unknown {
  try {
    return parseJsonWithComments(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function parseJsonWithComments(text: string): unknown {
  const plain = text
    .replace(/^\uFEFF/, '')
    .replace(/("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (_all, quoted = '') => quoted)
    .replace(/("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])/g, (_all, quoted = '') => quoted);
  return JSON.parse(plain);
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The members of a JSON object as the texts in which they were written: digits, spelling and key order are preserved. */
import type { JsonText } from './event.js';
import { scanMembers } from './json.js';

/**
 * Returns key → text of its value.
 * @returns undefined when the text is not an object, or cannot be stored
 */
export function splitMembers(text: JsonText): Map<string, JsonText> | undefined {
  const members = new Map<string, JsonText>();
  return isObject(text) && scanMembers(text, members) === undefined ? members : undefined;
}

/**
 * Returns the object with members added in front that it does not have. A text that is not an object is returned
 * unchanged, for the validation to refuse.
 */
export function addMembers(text: JsonText, added: Readonly<Record<string, string>>): JsonText {
  const members = splitMembers(text);
  const missing = Object.entries(added).filter(([key]) => members !== undefined && !members.has(key));
  if (members === undefined || missing.length === 0) return text;
  const front = missing.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join();
  const rest = text.slice(text.indexOf('{') + 1);
  return members.size === 0 ? `{${front}}` : `{${front},${rest}`;
}

export function isObject(text: JsonText): boolean {
  return /^[ \t\r\n]*\{/.test(text);
}

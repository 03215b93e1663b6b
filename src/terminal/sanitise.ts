/**
 * Text from a store is hostile: a stream name may clear the screen, and a payload may turn the rest of a line around.
 * Nothing here decides by context; what could act on a terminal is always spelled out.
 */
import { isPlain } from '../domain/safe-json.js';

/** C0 and C1 controls, DEL, bidi marks and overrides, line separators, tag characters, halves of surrogate pairs. */
const unsafe =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]|\p{Surrogate}/gu;

/** For people, on one line: whatever could act on a terminal becomes `\u{…}`, line breaks and tabs included. */
export function sanitise(text: string): string {
  return isPlain(text) ? text : text.replace(unsafe, spellOut);
}

/** As `sanitise`, but line breaks stay: for texts of several lines that evstore itself laid out. */
export function sanitiseLines(text: string): string {
  return text.split('\n').map(sanitise).join('\n');
}

function spellOut(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/**
 * Text from a store is treated as hostile: a stream name may clear the screen, and a payload may reverse the rest of a
 * line. Characters that control a terminal are always escaped, whatever the context.
 */
import { isPlain } from '../domain/safe-json.js';

/** C0 and C1 controls, DEL, bidi marks and overrides, line separators, tag characters, halves of surrogate pairs. */
const unsafe =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the expression finds control characters
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]|\p{Surrogate}/gu;

/** Escapes text for people, on one line: characters that control a terminal become `\u{…}`, line breaks and tabs, too. */
export function sanitise(text: string): string {
  return isPlain(text) ? text : text.replace(unsafe, spellOut);
}

/** Like `sanitise`, but keeps line breaks: for texts that evstore itself laid out. */
export function sanitiseLines(text: string): string {
  return text.split('\n').map(sanitise).join('\n');
}

function spellOut(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

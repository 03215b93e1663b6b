/**
 * Text from a store is treated as hostile: a stream name may clear the screen, and a payload may reverse the rest of a
 * line. Characters that control a terminal, or cannot be seen, are always escaped, whatever the context.
 */
import { isPlain } from '../domain/safe-json.js';

/**
 * C0 and C1 controls, DEL, line separators, halves of surrogate pairs; and what a person cannot see, or takes for a plain
 * space, so that two different names never look the same: zero-width and other ignorable characters, bidi marks and
 * overrides, tag characters, spaces of other kinds. The joiners and selectors inside an emoji stay.
 */
const unsafe =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the expression finds control characters
  /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u2800]|(?! )\p{Zs}|(?!(?<=\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f)\u200d(?=\p{Extended_Pictographic})|(?<=(?!\p{Emoji_Presentation})\p{Extended_Pictographic})\ufe0f)\p{Default_Ignorable_Code_Point}|\p{Surrogate}/gu;

/** The part of them that acts on a terminal. */
const acting =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the expression finds control characters
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]|\p{Surrogate}/gu;

/** Escapes text for people, on one line: unsafe characters become `\u{…}`, line breaks and tabs, too. */
export function sanitise(text: string): string {
  return isPlain(text) ? text : text.replace(unsafe, spellOut);
}

/** Escapes only what acts on a terminal: for programs, to which characters that cannot be seen are as good as others. */
export function sanitiseField(text: string): string {
  return isPlain(text) ? text : text.replace(acting, spellOut);
}

/** Like `sanitise`, but keeps line breaks: for texts that evstore itself laid out. */
export function sanitiseLines(text: string): string {
  return text.split('\n').map(sanitise).join('\n');
}

function spellOut(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/**
 * JSON that is safe to print. Some characters that JSON allows raw in a string control a terminal or end a line; stored
 * text is treated as hostile.
 */

/** DEL and C1 controls, bidi marks and overrides, line separators, tag characters, halves of surrogate pairs. */
const unsafeInJson = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]|\p{Surrogate}/gu;

/**
 * Returns JSON text with the same value as one line that is safe to print: unsafe characters become `\uXXXX`, line breaks
 * between tokens become spaces. Valid JSON has no line break inside a string.
 */
export function sanitiseJson(json: string): string {
  if (isPlain(json)) return json;
  return json.replace(/[\t ]*[\r\n\t]+[\t\r\n ]*/g, ' ').replace(unsafeInJson, escapeUnits);
}

/** Returns a string as a JSON string that is safe to print. */
export function quoteJson(text: string): string {
  return sanitiseJson(JSON.stringify(text));
}

/** Most text is printable ASCII; testing that first takes a tenth of the time of the replacement. */
export function isPlain(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

function escapeUnits(character: string): string {
  return Array.from({ length: character.length }, (_, index) => {
    return `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`;
  }).join('');
}

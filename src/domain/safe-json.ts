/**
 * JSON that is safe to print. What JSON leaves raw inside a string may still act on a terminal, or end a line for its
 * reader; a stored text is hostile.
 */

/** DEL and C1 controls, bidi marks and overrides, line separators, tag characters, halves of surrogate pairs. */
const unsafeInJson = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]|\p{Surrogate}/gu;

/**
 * JSON text as one line that is safe to print and means the same: unsafe characters become `\uXXXX`, line breaks
 * between tokens a space. A line break cannot lie inside a string of valid JSON.
 */
export function sanitiseJson(json: string): string {
  if (isPlain(json)) return json;
  return json.replace(/[\t ]*[\r\n\t]+[\t\r\n ]*/g, ' ').replace(unsafeInJson, escapeUnits);
}

/** A string as a JSON string that is safe to print. */
export function quoteJson(text: string): string {
  return sanitiseJson(JSON.stringify(text));
}

/** Most text is printable ASCII; asking that first costs a tenth of the replacement. */
export function isPlain(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

function escapeUnits(character: string): string {
  return Array.from({ length: character.length }, (_, index) => {
    return `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`;
  }).join('');
}

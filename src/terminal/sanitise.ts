/**
 * Text from a store is hostile: a stream name may clear the screen, and a payload may turn the rest of a line around.
 * Nothing here decides by context; what could act on a terminal is always spelled out.
 */

/** C0 and C1 controls, DEL, bidi marks and overrides, line separators, tag characters, halves of surrogate pairs. */
const unsafe =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]|\p{Surrogate}/gu;

/** What JSON leaves raw inside a string although a terminal, or a reader of lines, may act on it. */
const unsafeInJson = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]|\p{Surrogate}/gu;

/** For people, on one line: whatever could act on a terminal becomes `\u{…}`, line breaks and tabs included. */
export function sanitise(text: string): string {
  return isPlain(text) ? text : text.replace(unsafe, spellOut);
}

/** As `sanitise`, but line breaks stay: for texts of several lines that evstore itself laid out. */
export function sanitiseLines(text: string): string {
  return text.split('\n').map(sanitise).join('\n');
}

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
function isPlain(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

function spellOut(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

function escapeUnits(character: string): string {
  return Array.from({ length: character.length }, (_, index) => {
    return `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`;
  }).join('');
}

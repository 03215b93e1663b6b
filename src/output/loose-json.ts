/** JSON as a person reads it on one line: keys that are plain names without quotes, a space after a colon and a comma. */

const token = /"(?:[^"\\]|\\.)*"?(?:\s*:)?|[,:]|\s+|[^",:\s]+/gs;
const plainKey = /^"([\p{L}_$][\p{L}\p{N}_$]*)"\s*:$/u;

/** Changes nothing inside strings. @param json may be cut off anywhere */
export function loosenJson(json: string): string {
  const parts = (json.match(token) ?? []).map((part) => {
    if (/^\s/.test(part)) return '';
    if (part === ',') return ', ';
    if (part === ':') return ': ';
    if (!part.startsWith('"') || !part.endsWith(':') || !/"\s*:$/.test(part)) return part;
    const [, name] = plainKey.exec(part) ?? [];
    return name === undefined ? `${part.slice(0, part.lastIndexOf('"') + 1)}: ` : `${name}: `;
  });
  return parts.join('');
}

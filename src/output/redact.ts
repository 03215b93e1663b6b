/** Removes passwords from texts: drivers put whole connection strings into their messages. */
import { redactUrl } from '../store/redact-url.js';

export function redact(text: string, secrets: readonly string[] = []): string {
  // A short password would match parts of words; it is removed by its place in the URL. Known ones go first: what looks
  // like the end of a password may be in the middle of one.
  const known = secrets.filter((each) => each.length >= 4);
  return redactUrl(known.reduce((safe, secret) => safe.replaceAll(secret, '***'), text));
}

/** Returns the passwords in a connection URL, raw and decoded. */
export function secretsOf(url: string): string[] {
  const found = [/^[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:(.*)@/i.exec(url)?.[1], /[?&]password=([^&]*)/i.exec(url)?.[1]];
  return found.flatMap((raw) => (raw === undefined || raw === '' ? [] : [raw, decode(raw)]));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

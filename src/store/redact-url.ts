const secretParameters = /([?&;\s](?:[a-z]*password|[a-z]*secret|[a-z]*token|passphrase)=)[^&;\s]*/gi;

/**
 * A URL, or a text holding one, without its passwords: fit to print even when the URL is malformed. Everything between
 * the first `:` of the user part and the last `@` goes, so that a password with `@`, `/` or `?` in it leaves nothing.
 */
export function redactUrl(text: string): string {
  const withoutUserPart = text.replace(/([a-z][a-z0-9+.-]*:\/\/)([^\s:@/]*):[^\s]*@/gi, '$1$2@');
  return withoutUserPart.replace(secretParameters, '$1***');
}

const secretParameters = /([?&;\s](?:[a-z]*password|[a-z]*secret|[a-z]*token|passphrase)=)[^&;\s]*/gi;

/** Also matches URLs without slashes or without a scheme, but not SQLite paths. */
const userPart = /(^|[\s'"`(=])(?!sqlite:)((?:[a-z][a-z0-9+.-]*:\/{0,2})?)([^\s:@/]*):(?!\/\/)[^\s]*@/gi;

/**
 * Removes the passwords from a URL, or from a text with URLs, even when a URL is malformed. Removes everything between the
 * first `:` of the user part and the last `@`, so that nothing is left of a password with `@`, `/` or `?` in it.
 */
export function redactUrl(text: string): string {
  return text.replace(userPart, '$1$2$3@').replace(secretParameters, '$1***');
}

/** Returns the beginning of a malformed URL: everything before the place where a password could begin. */
export function beginningOf(url: string): string {
  const [beginning = ''] = /^(?:(?:sqlite|postgres|postgresql):|[a-z][a-z0-9+.-]*:\/+)*\/*[^\s:@?#=]*/i.exec(url) ?? [];
  return beginning === url ? url : `${beginning}…`;
}

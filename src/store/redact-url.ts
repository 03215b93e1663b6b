const secretParameters = /([?&;\s](?:[a-z]*password|[a-z]*secret|[a-z]*token|passphrase)=)[^&;\s]*/gi;

/** With slashes missing or without a scheme it is still a URL somebody meant; a SQLite path is not. */
const userPart = /(^|[\s'"`(=])(?!sqlite:)((?:[a-z][a-z0-9+.-]*:\/{0,2})?)([^\s:@/]*):(?!\/\/)[^\s]*@/gi;

/**
 * A URL, or a text holding one, without its passwords: fit to print even when the URL is malformed. Everything between
 * the first `:` of the user part and the last `@` goes, so that a password with `@`, `/` or `?` in it leaves nothing.
 */
export function redactUrl(text: string): string {
  return text.replace(userPart, '$1$2$3@').replace(secretParameters, '$1***');
}

/**
 * The beginning of what was given as a URL and is none: nobody can tell where its password ends, so that nothing is
 * shown from where one could begin.
 */
export function beginningOf(url: string): string {
  const [beginning = ''] = /^(?:(?:sqlite|postgres|postgresql):|[a-z][a-z0-9+.-]*:\/+)*\/*[^\s:@?#=]*/i.exec(url) ?? [];
  return beginning === url ? url : `${beginning}…`;
}

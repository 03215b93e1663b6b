/**
 * Compares code with the code that made rows. The author's version is the contract, and the definition must not have changed
 * under it. What is known about the functions is a hint: it never says that code changed, or that it did not, unless that is
 * certain.
 */

/** What is known about the functions of a projection. */
export interface Functions {
  /** Of the author's own `codeHash`. */
  readonly own?: string | undefined;
  /** Of the source of the functions, and of what they use in the same file and in files it imports. */
  readonly source?: SourceHash | undefined;
}

export interface SourceHash {
  readonly hash: string;
  /** `js` when one of the files is JavaScript: a compiler may have written it. */
  readonly language: 'ts' | 'js';
  /** Hashes of different forms cannot be compared. */
  readonly form: number;
}

export interface Code {
  readonly version: number;
  readonly codeHash: string;
}

/**
 * `current`: same version and definition, and the same functions as far as their source can be read. `stale code`: same
 * version, other functions or columns. `unverified`: same version and definition; whether the functions changed is unknown.
 * `stale`: another version.
 */
export type CodeState = 'current' | 'stale code' | 'unverified' | 'stale';

/** @param definition a hash of what is the same however code is compiled */
export function joinHashes(definition: string, { own, source }: Functions): string {
  const known = source === undefined ? '' : `;${source.language}${source.form}=${source.hash}`;
  return `${definition}${known}${own === undefined ? '' : `;own=${own}`}`;
}

/** Returns true when code may write live rows: it has the version and the definition of the code that made them. */
export function mayWrite(rows: Code, code: Code): boolean {
  return rows.version === code.version && parse(rows.codeHash).definition === parse(code.codeHash).definition;
}

/**
 * Returns the hash of rows after their code was renamed: that of the code, if its definition differs only in names. A rename
 * changes the source, so the source cannot tell whether the functions changed with it.
 * @param old of the code under the old names
 * @param code of the code under the new ones
 */
export function renameDefinition(rows: string, old: string, code: string): string {
  return parse(rows).definition === parse(old).definition ? code : rows;
}

export function compareCode(rows: Code, code: Code): CodeState {
  if (rows.version !== code.version) return 'stale';
  if (!mayWrite(rows, code)) return 'stale code';
  return compareFunctions(parse(rows.codeHash), parse(code.codeHash)) ?? 'unverified';
}

/** Returns why the comparison is `unverified`. */
export function whyUnverified(rows: Code, code: Code): string {
  const [before, now] = [parse(rows.codeHash), parse(code.codeHash)];
  if (now.source === undefined) {
    return now.own === undefined
      ? 'its source cannot be read here; give its definition a codeHash'
      : 'its rows were made before it had a codeHash';
  }
  if (before.source === undefined) return 'a program made or registered its rows, and did not have the source';
  if (before.source.form !== now.source.form)
    return 'another release of evstore read the source when its rows were made';
  return 'it differs, but it is JavaScript, and a compiler may have made the difference';
}

/** Returns undefined when it is unknown. */
function compareFunctions(rows: Functions, code: Functions): 'current' | 'stale code' | undefined {
  if (rows.own !== undefined && code.own !== undefined) return rows.own === code.own ? 'current' : 'stale code';
  const [before, now] = [rows.source, code.source];
  if (before === undefined || now === undefined || before.form !== now.form) return undefined;
  if (before.hash === now.hash) return 'current';
  return before.language === 'ts' && now.language === 'ts' ? 'stale code' : undefined;
}

function parse(codeHash: string): Functions & { readonly definition: string } {
  const [definition = '', ...rest] = codeHash.split(';');
  let functions: Functions = {};
  for (const each of rest) {
    const [, kind, form = '', hash = ''] = /^(ts|js|own)(\d*)=(.*)$/.exec(each) ?? [];
    if (kind === 'own') functions = { ...functions, own: hash };
    if (kind === 'ts' || kind === 'js') {
      functions = { ...functions, source: { language: kind, form: Number(form), hash } };
    }
  }
  return { definition, ...functions };
}

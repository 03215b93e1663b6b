/**
 * SQL lives in .sql files beside the code that runs it. A file is read when it is first wanted, and once.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** Text of the file `NAME.sql` of one folder, without its header comment. */
export type SqlFolder = (name: string) => string;

/**
 * @param folder e.g. `new URL('./sql/', import.meta.url)`
 * @param render what an engine does to each text once, e.g. to put its schema in
 */
export function openSqlFolder(folder: URL, render: (text: string) => string = (text) => text): SqlFolder {
  const texts = new Map<string, string>();
  return (name) => {
    let text = texts.get(name);
    if (text === undefined) {
      text = render(withoutHeader(readFileSync(new URL(`${name}.sql`, folder), 'utf8')));
      texts.set(name, text);
    }
    return text;
  };
}

/** One file `NNNN-name.sql` of a migrations folder. */
export interface MigrationFile {
  readonly version: number;
  readonly name: string;
  /** As it stands in the file, which is read when it is first wanted. */
  readText(): string;
}

/** In the order of their numbers. */
export function readMigrations(folder: URL): readonly MigrationFile[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => ({
      version: Number(file.slice(0, 4)),
      name: file.slice(5, -'.sql'.length),
      readText: () => readFileSync(new URL(file, folder), 'utf8'),
    }));
}

/** The comment at the top is for the reader of the file, not for the server. */
function withoutHeader(text: string): string {
  return text.replace(/^(?:--[^\n]*\n|\s*\n)+/, '').trimEnd();
}

/** Reads SQL from the `sql/` folder of each room of an engine. A file is read when it is first needed, and once. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Returns the text of `ROOM/sql/NAME.sql` without its header comment. A name is unique within its engine. */
export type SqlFolder = (name: string) => string;

const rooms = ['log', 'read-models', 'rebuilds', 'schema'];

/**
 * @param engine the folder of an engine, e.g. `new URL('./', import.meta.url)`
 * @param render is applied to each text once, e.g. to insert the schema's name
 */
export function openSqlFolder(engine: URL, render: (text: string) => string = (text) => text): SqlFolder {
  const texts = new Map<string, string>();
  return (name) => {
    let text = texts.get(name);
    if (text === undefined) {
      const files = rooms.map((room) => new URL(`${room}/sql/${name}.sql`, engine));
      text = render(withoutHeader(readFileSync(files.find(existsSync) ?? name, 'utf8')));
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

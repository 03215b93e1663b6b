/** Reads SQL from the `sql/` folder of each room of an engine. A file is read when it is first needed, and once. */
import { existsSync, readFileSync } from 'node:fs';

/** Returns the text of `ROOM/sql/NAME.sql` without its header comment. A name is unique within its engine. */
export type SqlFolder = (name: string) => string;

const rooms = ['log', 'sagas', 'statistics', 'read-models', 'rebuilds', 'schema'];

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

/** Removes the comment at the top: it is for the reader of the file, not for the server. */
function withoutHeader(text: string): string {
  return text.replace(/^(?:--[^\n]*\n|\s*\n)+/, '').trimEnd();
}

/** `sqlite3`, the shell of SQLite. */
import { runProgram, type Sink } from '../evstore.js';
import { findProgram } from './find-program.js';

export const sqliteShellMissing = findProgram('sqlite3');

/**
 * Every event as one JSON text, in order.
 * @param payload `text`: data and metadata as strings inside it; `json`: as the JSON they are, as evstore prints them
 * @returns seconds
 */
export async function printEvents(path: string, payload: 'text' | 'json', output: Sink): Promise<number> {
  const [data, metadata] = ['event_data', 'metadata'].map((column) =>
    payload === 'json' ? `json(${column})` : column,
  );
  const statement = `select json_object('globalPosition', global_position, 'streamId', stream_id, 'version', version,
    'type', event_type, 'schemaVersion', schema_version, 'id', id, 'data', ${data}, 'metadata', ${metadata},
    'streamType', stream_type, 'createdAt', created_at) from events order by global_position`;
  const { seconds } = await runProgram(['sqlite3', path, statement], { url: '', folder: '/tmp', output });
  return seconds;
}

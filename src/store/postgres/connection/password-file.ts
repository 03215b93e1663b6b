/** Reads ~/.pgpass by libpq's rules: the first matching line has the password. */
import { readFileSync, statSync } from 'node:fs';
import { homedir, platform } from 'node:os';
import { join } from 'node:path';

/** Host, port, database and user of the connection. */
export type PasswordKey = readonly [host: string, port: string, database: string, user: string];

export function readPasswordFile(key: PasswordKey, env: NodeJS.ProcessEnv): string | undefined {
  const file = env.PGPASSFILE || defaultFile(env);
  let text: string;
  try {
    const { mode } = statSync(file);
    // A file that others can read is not trusted, as with psql.
    if (platform() !== 'win32' && (mode & 0o077) !== 0) return undefined;
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('#')) continue;
    const fields = splitLine(line);
    const password = fields[4];
    if (password !== undefined && key.every((part, index) => fields[index] === '*' || fields[index] === part)) {
      return password;
    }
  }
  return undefined;
}

function defaultFile(env: NodeJS.ProcessEnv): string {
  return platform() === 'win32'
    ? join(env.APPDATA ?? homedir(), 'postgresql', 'pgpass.conf')
    : join(homedir(), '.pgpass');
}

/** Fields end at a colon; a backslash escapes the next character. */
function splitLine(line: string): readonly string[] {
  const fields = line.match(/(?:\\.|[^\\:])*(?::|$)/g) ?? [];
  return fields.slice(0, 5).map((field) => field.replace(/:$/, '').replace(/\\(.)/g, '$1'));
}

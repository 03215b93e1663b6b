/** `.env` of the working directory. The environment wins over it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { EvstoreError } from '../domain/errors.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** @throws E_CONFIG when there is one that cannot be read */
export function withDotenv(cwd: string, env: Environment): Environment {
  const found = readDotenv(join(cwd, '.env'));
  return found === undefined ? env : { ...found, ...env };
}

/** The Postgres driver reads `PGHOST` and its kind from the process, not from us. */
export function adoptPostgresVariables(env: Environment): void {
  for (const [name, value] of Object.entries(env)) {
    if (/^PG[A-Z]+$/.test(name) && value !== undefined) process.env[name] ??= value;
  }
}

function readDotenv(file: string): Environment | undefined {
  try {
    // Editors of Windows begin the file with a byte order mark, which would be part of the first name.
    return parseEnv(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    // A directory of that name is somebody's virtual environment.
    if (code === 'ENOENT' || code === 'EISDIR' || code === 'ENOTDIR') return undefined;
    throw new EvstoreError('E_CONFIG', `cannot read ${file}`, { cause: error });
  }
}

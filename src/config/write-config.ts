/** A first config file, for people to go on from. Never overwrites. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EvstoreError } from '../domain/errors.js';
import { redactUrl } from '../store/redact-url.js';
import type { Config } from './config.js';
import { findConfig } from './find-config.js';
import type { StoreChoice } from './precedence.js';

export interface ConfigRequest {
  readonly cwd: string;
  /** `--config`. */
  readonly named: string | undefined;
  readonly choice: StoreChoice;
  readonly dryRun: boolean;
}

/** @returns the config file there is now, and whether this made it (or would have) */
export async function writeConfigFile(
  request: ConfigRequest,
): Promise<{ readonly file: string; readonly created: boolean }> {
  const existing = findConfig(request.cwd, request.named);
  if (existing !== undefined) return { file: existing, created: false };
  const file = join(request.cwd, 'evstore.config.json');
  if (request.dryRun) return { file, created: true };
  try {
    await writeFile(file, renderConfig(request.choice), { flag: 'wx' });
    return { file, created: true };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return { file, created: false };
    throw new EvstoreError('E_CONFIG', `cannot write ${file}`, {
      why: error instanceof Error ? `${error.message}.` : undefined,
      next: 'evstore init --no-config',
      cause: error,
    });
  }
}

/**
 * JSON, so that reading it runs no code. What the environment names stays there: it may hold a password, and differ from
 * machine to machine.
 */
function renderConfig({ url, schema, origin }: StoreChoice): string {
  const config: Config = {
    ...(!['EVSTORE_URL', 'DATABASE_URL'].includes(origin) && { store: redactUrl(url) }),
    // With EVSTORE_URL the config is not asked for the store, nor for its schema: that is EVSTORE_SCHEMA then.
    ...(schema !== undefined && origin !== 'EVSTORE_URL' && { schema }),
    projections: 'projections',
    sagas: 'sagas',
    aggregates: 'aggregates',
    reactions: 'reactions',
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

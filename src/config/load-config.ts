/** A config file's content, checked. */
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { EvstoreError } from '../domain/errors.js';
import { scanJson } from '../domain/json.js';
import { checkConfig, type LoadedConfig } from './config.js';
import { isExecutable } from './find-config.js';
import { importModule } from './import-module.js';

/**
 * Executes the file unless it is JSON.
 * @throws E_CONFIG with the place, when it cannot be read or says something else than a config
 * @throws E_HANDLER when its code throws
 */
export async function loadConfig(file: string): Promise<LoadedConfig> {
  const value = isExecutable(file) ? (await importModule(file)).default : parseConfig(await readText(file), file);
  return { ...checkConfig(value, file), file, folder: dirname(file) };
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new EvstoreError('E_CONFIG', `cannot read ${file}`, {
      why: error instanceof Error ? `${error.message}.` : undefined,
      cause: error,
    });
  }
}

function parseConfig(text: string, file: string): unknown {
  const json = text.replace(/^\uFEFF/, '');
  const fault = scanJson(json);
  if (fault !== undefined) {
    throw new EvstoreError('E_CONFIG', `${file}:${fault.line}:${fault.column} is not JSON`, {
      why: `${fault.reason}.`,
      details: { file, line: fault.line, column: fault.column },
    });
  }
  return JSON.parse(json);
}

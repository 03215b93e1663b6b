/** `psql`, the shell of Postgres: what moves rows in and out of it fastest without a program of one's own. */
import { copyColumns } from '../data/files.js';
import { runProgram, type Sink } from '../evstore.js';
import { expectEqual } from '../measure.js';
import { findProgram } from './find-program.js';

export const psqlMissing = findProgram('psql');

/** @returns seconds */
export async function copyIn(url: string, table: string, rows: string, events: number): Promise<number> {
  return copy(url, `\\copy ${table} (${copyColumns}) from '${rows}'`, events);
}

/** Every event as one JSON text, in order. @returns seconds */
export async function copyOut(url: string, events: number, output: Sink): Promise<number> {
  const copying = '\\copy (select row_to_json(e) from events e order by global_position) to';
  if (output === 'null') return copy(url, `${copying} '/dev/null'`, events);
  const { seconds } = await runProgram(psql(url, `${copying} stdout`), { url, folder: '/tmp', output });
  return seconds;
}

/** A statement. @returns seconds */
export async function runSql(url: string, statement: string): Promise<number> {
  const { seconds } = await runProgram(psql(url, statement), { url, folder: '/tmp' });
  return seconds;
}

async function copy(url: string, command: string, events: number): Promise<number> {
  const { seconds, stdout } = await runProgram(psql(url, command), { url, folder: '/tmp' });
  expectEqual('what psql copied', stdout.trim(), `COPY ${events}`);
  return seconds;
}

function psql(url: string, command: string): string[] {
  return ['psql', '-X', '-v', 'ON_ERROR_STOP=1', url, '-c', command];
}

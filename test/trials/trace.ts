/** What a program that was watched by the probe did. */
import { existsSync, readFileSync } from 'node:fs';
import type { Stop, Traced } from './programs/probe.js';

export function readTrace(file: string): readonly Traced[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Traced);
}

/** Steps that a rebuild has, whatever else it does. */
export const rebuildSteps = [
  'planned',
  'commit planned',
  'filling',
  'commit filling',
  'fill',
  'commit fill',
  'index',
  'ready',
  'commit ready',
  'verify',
  'lease taken',
  'swap begun',
  'rename',
  'swapped',
  'checkpoint swapped',
  'commit swapped',
  'lease released',
  'rebuild released',
] as const;

const unnamed = ['begin', 'other', 'read', 'rollback', 'commit other', 'batch', 'commit batch', 'end', 'stopped'];

/** Every place of a traced run at which a process can be stopped; of steps that repeat the first, a middle and the last. */
export function stopsOf(trace: readonly Traced[], moments: readonly Stop['moment'][]): readonly Stop[] {
  const counts = new Map<string, number>();
  for (const { step } of trace) counts.set(step, (counts.get(step) ?? 0) + 1);
  return [...counts]
    .filter(([step]) => !unnamed.includes(step))
    .flatMap(([step, count]) => [...new Set([1, Math.ceil(count / 2), count])].map((nth) => ({ step, nth })))
    .flatMap((place) => moments.map((moment) => ({ ...place, moment, signal: 'SIGKILL' as const })));
}

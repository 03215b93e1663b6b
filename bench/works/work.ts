/** What every benchmark is given, and what it gives back. */
import type { Place } from '../place.js';
import type { Comparison } from '../report.js';

export interface Task {
  readonly place: Place;
  /** Whole orders: a multiple of ten. */
  readonly events: number;
  readonly runs: number;
  readonly say: (line: string) => void;
}

export interface Work {
  readonly summary: string;
  /** Unless said on the command line. */
  readonly events: number;
  readonly runs: number;
  run(task: Task): Promise<readonly Comparison[]>;
}

export function count(events: number): string {
  return events.toLocaleString('en-US');
}

/** What a benchmark found, as data: written as JSON, and drawn by table.ts. */
import { compareRuns, type Spread, summarise } from './statistics.js';

export type Unit = 'events/s' | 'steps/s' | 'ms' | 's' | 'MB' | '';

/** A bound on a figure, or on how many times it is of another. */
export interface Target {
  readonly is: 'at least' | 'at most';
  readonly value: number;
}

/** One thing that was measured, or that could not be. */
export interface Measured {
  readonly name: string;
  /** One figure a run; empty where it was not measured. */
  readonly figures: readonly number[];
  /** Why there are no figures: a result that was not the right one, or a program that is not installed. */
  readonly failure?: string;
  /** Bounds the figure itself. */
  readonly limit?: Target;
  /** Bounds how many times the first of the comparison is of this one. */
  readonly target?: Target;
}

/** The first is evstore; the others are what it is measured against, in the same minutes. */
export interface Comparison {
  readonly title: string;
  readonly unit: Unit;
  readonly measured: readonly Measured[];
}

export interface Report {
  readonly work: string;
  readonly engine: string;
  readonly comparisons: readonly Comparison[];
}

export interface Line {
  readonly name: string;
  readonly figure?: Spread;
  readonly ratio?: Spread;
  readonly limit?: Target;
  readonly target?: Target;
  readonly verdict: string;
}

/** As it is shown: with ratios and verdicts. */
export function judge({ measured }: Comparison): Line[] {
  const [first] = measured;
  return measured.map((each) => {
    const { name, figures, failure, limit, target } = each;
    const known = { name, ...(limit && { limit }), ...(target && { target }) };
    if (failure !== undefined) return { ...known, verdict: failure };
    const figure = summarise(figures);
    if (limit !== undefined) return { ...known, figure, verdict: judgeBound(figure.median, limit) };
    // Where the first has a bound of its own, a line without one is only another figure of it.
    const isAside = first?.limit !== undefined && target === undefined;
    if (each === first || first === undefined || isAside) return { ...known, figure, verdict: '' };
    if (first.failure !== undefined) return { ...known, figure, verdict: 'nothing to compare with' };
    const ratio = compareRuns(first.figures, figures);
    return { ...known, figure, ratio, verdict: target === undefined ? '' : judgeBound(ratio.median, target) };
  });
}

function judgeBound(value: number, { is, value: bound }: Target): string {
  if (is === 'at least' ? value >= bound : value <= bound) return 'met';
  const share = bound === 0 ? Number.NaN : Math.abs(value / bound - 1);
  return Number.isNaN(share) ? `missed: ${value}` : `missed by ${Math.max(1, Math.round(share * 100))} %`;
}

/** Whether every bound was kept and everything was measured and right. */
export function isMet(comparisons: readonly Comparison[]): boolean {
  return comparisons.flatMap(judge).every(({ verdict }) => verdict === 'met' || verdict === '');
}

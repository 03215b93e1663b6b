/** What the benchmarks make of their figures. */
import { describe, expect, it } from 'vitest';
import { type Comparison, isMet, judge } from '../../bench/report.js';
import { compareRuns, median, quantile } from '../../bench/statistics.js';
import { renderComparison, renderMarkdown } from '../../bench/table.js';

const comparison: Comparison = {
  title: 'import of 1,000 events',
  unit: 'events/s',
  measured: [
    { name: 'evstore', figures: [900, 1_000, 1_100] },
    { name: 'a loop', figures: [1_000, 1_000, 1_000], target: { is: 'at least', value: 0.8 } },
    { name: 'a shell', figures: [2_000, 2_000, 2_200], target: { is: 'at least', value: 0.8 } },
    {
      name: 'no shell',
      figures: [],
      failure: 'not measured: it is not installed',
      target: { is: 'at least', value: 1 },
    },
    { name: 'for information', figures: [500, 500, 500] },
  ],
};

describe('statistics', () => {
  it('takes what lies between two figures', () => {
    expect(median([4, 1, 3])).toBe(3);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(quantile([0, 10], 0.99)).toBeCloseTo(9.9);
    expect(median([])).toBeNaN();
  });

  it('compares medians, and runs that followed each other', () => {
    expect(compareRuns([1, 4, 9], [1, 2, 3])).toEqual({ median: 2, min: 1, max: 3 });
  });
});

describe('a comparison', () => {
  it('holds evstore against each other line', () => {
    expect(judge(comparison).map(({ ratio, verdict }) => [ratio?.median, verdict])).toEqual([
      [undefined, ''],
      [1, 'met'],
      [0.5, 'missed by 38 %'],
      [undefined, 'not measured: it is not installed'],
      [2, ''],
    ]);
    expect(isMet([comparison])).toBe(false);
  });

  it('bounds a figure that has nothing beside it', () => {
    const measured = (figures: readonly number[], value: number) => ({
      title: 'waits',
      unit: 'ms' as const,
      measured: [{ name: 'p99', figures, limit: { is: 'at most' as const, value } }],
    });
    expect(isMet([measured([20], 25)])).toBe(true);
    expect(judge(measured([50], 25))[0]?.verdict).toBe('missed by 100 %');
    expect(judge(measured([2], 0))[0]?.verdict).toBe('missed: 2');
  });

  it('has no ratio where evstore has no figure', () => {
    const failed = {
      ...comparison,
      measured: [{ name: 'evstore', figures: [], failure: 'failed: 3 events are gone' }],
    };
    const [own, other] = judge({ ...failed, measured: [...failed.measured, ...comparison.measured.slice(1, 2)] });
    expect(own).toEqual({ name: 'evstore', verdict: 'failed: 3 events are gone' });
    expect(other?.verdict).toBe('nothing to compare with');
  });

  it('is drawn in columns, and in Markdown', () => {
    expect(renderComparison(comparison)).toMatchInlineSnapshot(`
      "import of 1,000 events, events/s, 3 runs
                         median      min–max          evstore is  to reach
        evstore           1,000    900–1,100
        a loop            1,000        1,000  1.00 × (0.90–1.10)   ≥ 0.8 ×  met
        a shell           2,000  2,000–2,200  0.50 × (0.45–0.50)   ≥ 0.8 ×  missed by 38 %
        no shell                                                     ≥ 1 ×  not measured: it is not installed
        for information     500          500  2.00 × (1.80–2.20)
      "
    `);
    expect(renderMarkdown(comparison)).toMatchInlineSnapshot(`
      "| import of 1,000 events, events/s, 3 runs | median | min–max | evstore is | to reach |  |
      | --- | ---: | ---: | ---: | ---: | --- |
      | evstore | 1,000 | 900–1,100 |  |  |  |
      | a loop | 1,000 | 1,000 | 1.00 × (0.90–1.10) | ≥ 0.8 × | met |
      | a shell | 2,000 | 2,000–2,200 | 0.50 × (0.45–0.50) | ≥ 0.8 × | missed by 38 % |
      | no shell |  |  |  | ≥ 1 × | not measured: it is not installed |
      | for information | 500 | 500 | 2.00 × (1.80–2.20) |  |  |

      "
    `);
  });
});

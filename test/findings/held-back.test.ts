import { expect, test } from 'vitest';
import type { Head } from '../../src/domain/event.js';
import { describeFinding } from '../../src/domain/finding.js';
import { judgeHead } from '../../src/findings/held-back.js';
import { judgeLimits } from '../../src/findings/limits.js';
import { renderNagios, renderPrometheus } from '../../src/output/lag-monitoring.js';
import type { ProjectionLag } from '../../src/projection/status/lag.js';

function heldFor(ageMs: number | null): Head {
  return {
    head: 9,
    safeHead: 3,
    heldBackBy: { pid: 42, gid: null, application: 'etl', state: 'idle in transaction', ageMs },
  };
}

const lag = (over: Partial<ProjectionLag> = {}): ProjectionLag => ({
  name: 'orders',
  version: 1,
  mode: 'async',
  status: 'idle',
  position: 3,
  lag: 0,
  estimated: false,
  positions: 0,
  ageMs: null,
  imported: false,
  rate: null,
  etaMs: 0,
  owner: null,
  error: null,
  codeVersion: 1,
  stale: false,
  parked: 0,
  inlineRests: false,
  ...over,
});

test.each([
  [7, []],
  [999, []],
  [1_000, ['note']],
  [9_999, ['note']],
  [10_000, ['warning']],
  [null, ['warning']],
])('a transaction that is open for %s ms: %j', (ageMs, severities) => {
  expect(judgeHead(heldFor(ageMs)).map(({ severity }) => severity)).toEqual(severities);
});

test('readers that are held count for every limit, once an append would have ended', () => {
  const judge = (ageMs: number, limits: Parameters<typeof judgeLimits>[1], over?: Partial<ProjectionLag>) =>
    judgeLimits({ ...heldFor(ageMs), projections: [lag(over)] }, limits).map(describeFinding);
  const held = 'readers held at 3 of 9 for 20 s by process 42 (etl)';
  expect(judge(20_000, { maxLag: 0 })).toEqual([held]);
  expect(judge(20_000, { maxLag: 6 })).toEqual([]);
  expect(judge(20_000, { maxLag: 6 }, { lag: 1 })).toEqual([held]);
  expect(judge(20_000, { maxAgeMs: 5_000 })).toEqual([held]);
  expect(judge(20_000, { maxAgeMs: 30_000 })).toEqual([]);
  expect(judge(500, { maxLag: 0, maxAgeMs: 0 })).toEqual([]);
});

test('an estimate is never the reason to say that all is well', () => {
  const far = lag({ lag: 0, estimated: true, positions: 100_000 });
  const report = { head: 100_000, safeHead: 100_000, heldBackBy: null, projections: [far] };
  expect(judgeLimits(report, { maxLag: 10 })).toMatchObject([
    {
      kind: 'over-lag',
      next: 'evstore lag orders --count',
      detail: expect.stringContaining('up to 100,000 events behind'),
    },
  ]);
});

test('Nagios is told that held readers are critical, and Prometheus for how long', () => {
  const report = { ...heldFor(20_000), projections: [lag()] };
  expect(renderNagios(report, judgeHead(report))).toBe(
    "LAG CRITICAL - readers held at 3 of 9 for 20 s by process 42 (etl) | 'orders'=0\n",
  );
  const metrics = renderPrometheus(report, judgeHead(report));
  expect(metrics).toContain('\nevstore_readers_held_seconds 20\n');
  expect(metrics).toContain('\nevstore_readers_held_positions 6\n');
  expect(metrics).toContain('\nevstore_findings{severity="warning",kind="held-back"} 1\n');
  expect(renderNagios({ ...heldFor(7), projections: [lag()] }, [])).toBe("LAG OK - 1 projection | 'orders'=0\n");
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type LagFrame, renderLagFrame } from '../../src/output/lag-frame.js';
import { LagHistory } from '../../src/output/lag-history.js';
import { sparkline, trendOf } from '../../src/output/sparkline.js';
import { measureText } from '../../src/output/text-width.js';
import { plainTheme } from '../../src/output/theme.js';
import type { ProjectionLag } from '../../src/projection/status/lag.js';
import { progressBar } from '../../src/terminal/progress-bar.js';

const now = new Date(2026, 0, 2, 12, 22, 4);
const at = now.getTime();

function lagOf(name: string, given: Partial<ProjectionLag> = {}): ProjectionLag {
  return {
    ...{ name, version: 1, mode: 'async', status: 'idle', position: 0, lag: 0, estimated: false, positions: 0 },
    ...{ ageMs: null, imported: false, rate: null, etaMs: null, owner: null, error: null, codeVersion: 1 },
    ...{ stale: false, parked: 0, inlineRests: false, ...given },
  } as ProjectionLag;
}

const projections = [
  lagOf('order_summary', { status: 'running', lag: 2, rate: 29, etaMs: 69, ageMs: 300, owner: 'vm:16637' }),
  lagOf('search-indexer', { status: 'foreign', version: null, lag: 19_650, estimated: true, ageMs: 7_200_000 }),
  lagOf('shipments', { lag: 1_875, parked: 8_618, ageMs: 720_000 }),
  lagOf('customer_totals', { status: 'rebuilding', owner: 'vm:23003' }),
  lagOf('invoices', { status: 'failed', lag: 209_048, ageMs: 59 * 86_400_000, error: "reading 'toUpperCase'\nat x" }),
];

function makeFrame(given: Partial<LagFrame> = {}): LagFrame {
  const history = new LagHistory();
  for (const [age, behind] of [
    [56_000, 1],
    [30_000, 100],
    [0, 1_875],
  ] as const) {
    const values = [
      ['head', 211_277 - age / 10],
      ['behind shipments', behind],
      ['behind invoices', 209_048],
      ['rebuild customer_totals', 135_000 - age],
    ] as const;
    history.record(at - age, new Map(values));
  }
  return {
    title: 'postgres://app@db/shop',
    report: { head: 211_277, safeHead: 211_275, heldBackBy: null, projections },
    rebuilds: [{ projection: 'customer_totals', version: 2, position: 135_216 }],
    ...{ history, measuredAt: now, state: 'current', order: 'worst', errorsOnly: false, isPaused: false },
    ...{ intervalMs: 2_000, foot: 'keys', ...given },
  };
}

const view = { theme: plainTheme, width: 140, height: 30, unicode: true, now };
const draw = (given: Partial<LagFrame> = {}, changes = {}) => renderLagFrame(makeFrame(given), { ...view, ...changes });

test('a wide frame: the log, then what needs a hand first, each with its last minute', () => {
  expect(draw()).toEqual([
    expect.stringMatching(/^postgres:\/\/app@db\/shop {3}head 211,277 {3}safe 211,275 {3}~100 ev\/s [▁-█ ]+ 12:22:04$/),
    '  name             status               behind  last 60 s               rate    eta  oldest  owner',
    '✗ invoices         failed              209,048   ███████████████ →         –      –    59 d  –',
    "    reading 'toUpperCase'",
    '! shipments        idle                  1,875   ▂▂▂▂▂▂▅▅▅▅▅▅▅▅█ ↑         –      –  12 min  –         8,618 parked',
    '○ search-indexer   foreign             ~19,650                             –      –     2 h  –',
    '● order_summary    running                   2                          29/s   <1 s    <1 s  vm:16637',
    '↻ customer_totals  rebuilding v2 64 %        0  ▓▓▓▓▓▓▓▓▓▓░░░░░░    ~1,000/s  1 min       –  vm:23003',
    ' s sort: worst   n name   e errors only   p pause   + − 2 s   ? help   q quit',
  ]);
});

test('columns go as the terminal narrows, and below 50 the name and how far it is behind are left', () => {
  const headingAt = (width: number) => draw({}, { width })[1]?.trim().split(/ {2,}/);
  expect(headingAt(80)).toEqual(['name', 'status', 'behind', 'last 60 s', 'rate', 'eta']);
  expect(headingAt(60)).toEqual(['name', 'status', 'behind', 'last 60 s']);
  expect(draw({}, { width: 80 })[5]).toBe('    8,618 parked');
  expect(draw({}, { width: 45 }).slice(1, 3)).toEqual(['✗ invoices        209,048 →', '! shipments         1,875 ↑']);
});

test('rows that do not fit are counted, the worst stay', () => {
  expect(draw({}, { height: 6 })).toEqual([
    expect.stringContaining('head'),
    expect.stringContaining('name'),
    expect.stringContaining('✗ invoices'),
    expect.stringContaining('toUpperCase'),
    expect.stringContaining('! shipments'),
    '  … 3 more, 2 behind',
  ]);
  const current = Array.from({ length: 15 }, (_, n) => lagOf(`p${n}`));
  const report = { head: 5, safeHead: 5, heldBackBy: null, projections: current };
  expect(draw({ report }, { height: 7 }).at(-1)).toContain('q quit');
  expect(draw({ report }, { height: 7 }).at(-2)).toBe('  … 12 more, all current');
});

test('held readers are told, and what is not known is never shown as current or as 0', () => {
  const heldBackBy = { pid: 21_256, gid: null, application: 'nightly-etl', state: 'idle', ageMs: 13_000 };
  const report = { head: 211_685, safeHead: 211_275, heldBackBy, projections };
  expect(draw({ report })[1]).toBe(
    '▲ readers held at 211,275 for 13 s by nightly-etl (pid 21256): up to 410 events wait',
  );
  expect(draw({ state: 'lost', fault: 'cannot connect' })[0]).toMatch(/reconnecting… \(last 12:22:04\)$/);
  expect(draw({ state: 'lost', fault: 'cannot connect' })[1]).toBe('  cannot connect');
  const failed = draw({ state: 'failed', fault: 'timed out' }).join('\n');
  expect(failed).toMatch(/not measured \(last 12:22:04\)/);
  expect(failed).toMatch(/order_summary {4}running +\? /);
  expect(failed).not.toContain('209,048');
});

test('orders, and only what needs a hand', () => {
  const names = (given: Partial<LagFrame>) =>
    draw(given).flatMap((line) => (/^[✗!●○↻] (\S+)/.exec(line)?.[1] ? [/^. (\S+)/.exec(line)?.[1]] : []));
  expect(names({ order: 'behind' })[1]).toBe('search-indexer');
  expect(names({ order: 'oldest' })).toEqual([
    'invoices',
    'search-indexer',
    'shipments',
    'order_summary',
    'customer_totals',
  ]);
  expect(names({ order: 'name' })).toEqual(projections.map(({ name }) => name));
  expect(names({ errorsOnly: true })).toEqual(['invoices', 'shipments']);
  const report = { head: 0, safeHead: 0, heldBackBy: null, projections: [] };
  expect(draw({ report }).join()).toContain('no projection has run on this store yet');
});

test('no frame is wider or higher than its terminal, and without UTF-8 it is ASCII', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 50 });
  const row = fc.record({ name: text, error: fc.option(text), owner: fc.option(text), lag: fc.nat() });
  const size = fc.record({ width: fc.integer({ min: 10, max: 160 }), height: fc.integer({ min: 0, max: 12 }) });
  const state = fc.constantFrom<LagFrame['state']>('current', 'lost', 'failed');
  const foot = fc.constantFrom<LagFrame['foot']>('keys', 'help', 'none');
  fc.assert(
    fc.property(fc.array(row), size, state, foot, (rows, place, state, foot) => {
      const report = {
        head: 1e6,
        safeHead: 1e6,
        heldBackBy: null,
        projections: rows.map((each) => lagOf(each.name, each)),
      };
      const lines = draw({ report, state, foot, fault: 'x'.repeat(200) }, place);
      expect(lines.length).toBeLessThanOrEqual(place.height);
      expect(lines.filter((line) => measureText(line) > place.width)).toEqual([]);
    }),
  );
  expect(draw({ foot: 'help' }, { unicode: false }).join('')).toMatch(/^[\x20-\x7e]*$/);
});

test('a sparkline is on a scale of logarithms, and shows what was not measured as a blank', () => {
  expect(sparkline([undefined, 0, 2, 1_875, 209_048], true)).toBe(' ▁▂▅█');
  expect(sparkline([0, 2], true)).toBe('▁▄');
  expect(sparkline([undefined, 0, 209_048], false)).toBe(' _#');
  expect(trendOf([undefined, 5], true)).toBe(' ');
  expect([trendOf([0, 500], true), trendOf([500, 0], true), trendOf([9_000, 9_010], true)]).toEqual(['↑', '↓', '→']);
  expect(progressBar(0.64, 12, true)).toBe('▓▓▓▓▓▓▓░░░░░');
  expect(progressBar(2, 4, false)).toBe('####');
});

test('the history is of one minute: the highest of each part, and how fast a value rises', () => {
  const history = new LagHistory();
  for (const [age, value] of [
    [90_000, 1],
    [45_000, 10],
    [44_000, 4],
    [0, 90],
  ] as const) {
    history.record(at - age, new Map([['a', value]]));
  }
  expect(history.values('a', 4, at)).toEqual([10, 4, 4, 90]);
  expect(history.values('b', 2, at)).toEqual([undefined, undefined]);
  expect(history.perSecond('a')).toBeCloseTo(80 / 45);
  history.record(at, new Map());
  expect(history.perSecond('a')).toBeUndefined();
});

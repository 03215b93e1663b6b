/** `evstore lag`: shows how far behind projections and other subscriptions are. */
import { allOf } from '../src/config/load-files.js';
import { formatDuration } from '../src/domain/duration.js';
import { EvstoreError } from '../src/domain/errors.js';
import { describeFinding, type Finding, sortFindings } from '../src/domain/finding.js';
import { partOf } from '../src/domain/parts.js';
import { shellWord } from '../src/domain/shell-word.js';
import { count } from '../src/domain/words.js';
import { type Measured, measureAndJudge } from '../src/findings/examine.js';
import { judgeLimits, type LagLimits, nextOf } from '../src/findings/limits.js';
import { summariseFailure } from '../src/output/failure-text.js';
import { renderReport } from '../src/output/json-line.js';
import { markOf } from '../src/output/lag-mark.js';
import { judgeNagios, renderNagios, renderPrometheus } from '../src/output/lag-monitoring.js';
import { groupDigits } from '../src/output/numbers.js';
import { renderTsvLine } from '../src/output/tsv.js';
import type { LoadedProjection } from '../src/projection/define/load.js';
import type { ProjectionLag } from '../src/projection/status/lag.js';
import { redactUrl } from '../src/store/redact-url.js';
import { canRedraw } from '../src/terminal/live-screen.js';
import type { Command, Context, Flags } from './options/command.js';
import { option } from './options/option.js';
import { type Address, parseAddress } from './options/parse-address.js';
import { duration, wholeNumber } from './options/parse-option.js';
import { outputOption } from './options/shared-options.js';
import { countOf } from './support/estimate.js';
import { failWithFirst } from './support/fail-with-first.js';
import { describeScan } from './support/note-scan.js';
import { type ListColumn, printList, rarely } from './support/print-list.js';
import { findAllCode, loadCode } from './support/projection-code.js';
import type { Watching } from './support/watch-lag.js';

const defaultWatchMs = 2_000;
/** More idle projections are told in one line. */
const mostIdle = 3;
/** A row that does not change is printed this often, to show that it is still measured. */
const heartbeatMs = 60_000;

export const command: Command = {
  usage: 'lag [name...]',
  writes: 'nothing',
  examples: [
    { line: 'evstore lag', purpose: 'show every projection and every other subscription' },
    { line: 'evstore lag --max-lag 1000 --max-age 5m', purpose: 'exit 1 if one is further behind' },
    { line: 'evstore lag --watch 1s', purpose: 'show it live, measured every second; q ends it' },
    { line: 'evstore lag -o prometheus', purpose: 'print metrics for a scraper; use -o nagios for a check' },
    { line: 'evstore lag --listen :9464', purpose: 'serve the metrics at http://localhost:9464/metrics' },
  ],
  options: [
    option('--max-lag <events>', 'exit 1 if any projection is more than this many events behind', wholeNumber(0)),
    option('--max-age <duration>', 'exit 1 if an event has waited longer than this', duration),
    option('--count', 'count the waiting events that match each filter; reads the log'),
    option(
      '--projections <glob...>',
      'compare the rows with the code in these files, instead of the code that last ran',
    ),
    option('--watch [interval]', 'measure again after each interval (default: 2s)', duration),
    option('--listen <address>', 'serve metrics to Prometheus at :PORT of this machine, or at HOST:PORT', parseAddress),
    outputOption('prometheus', 'nagios'),
  ],
  run: async (names, flags, context) => {
    const limits = { maxLag: flags.maxLag, maxAgeMs: flags.maxAge } as LagLimits;
    if (flags.listen !== undefined && (flags.watch !== undefined || (flags.output ?? 'prometheus') !== 'prometheus')) {
      throw new EvstoreError('E_USAGE', '--listen cannot be combined with --watch or another output than prometheus', {
        why: 'It measures when it is asked, and answers with metrics for Prometheus.',
      });
    }
    // Monitoring runs this command, so user code is executed only when --projections asks for it.
    const { found: code, failures } = await loadCompared(names, flags, context);
    const store = await context.openStore();
    const { signal } = context.io;
    let isTold = false;
    const startsLong = async (positions: number) => {
      if (!isTold) await context.note(describeScan(positions));
      isTold = true;
    };
    const exact = flags.count === true;
    const measure = () => measureAndJudge(store, { names, now: context.io.now(), code, exact, startsLong, signal });
    const judge = (measured: Measured) => {
      const over = [...judgeLimits(measured.report, limits), ...judgeNew(code ?? [], measured, limits, flags)];
      return { over, faults: faultsOf(measured, over, limits, flags) };
    };
    if (flags.listen !== undefined) {
      const { serveMetrics } = await import('./support/serve-metrics.js');
      const scrape = async () => {
        const { report, findings, sagas } = await measure();
        return renderPrometheus(report, findings, sagas);
      };
      await serveMetrics(flags.listen as Address, scrape, context);
      return 0;
    }
    if (flags.watch !== undefined) {
      const intervalMs = flags.watch === true ? defaultWatchMs : Number(flags.watch);
      const title = redactUrl((await context.storeChoice()).url);
      const last = await watch({ store, measure, intervalMs, title }, judge, flags, context);
      return judge(last).faults.length > 0 ? 1 : 0;
    }
    const measured = await measure();
    const { over, faults } = judge(measured);
    await print(measured, over, flags, context);
    return faults.length > 0 ? fail(faults, over, flags) : failWithFirst(failures, context);
  },
};

/** The code to compare with, and the errors of files that may hold more of it. */
async function loadCompared(
  names: readonly string[],
  flags: Flags,
  context: Context,
): Promise<{ readonly found?: readonly LoadedProjection[]; readonly failures: readonly EvstoreError[] }> {
  if (flags.projections === undefined) return { failures: [] };
  if (names.length > 0) return { found: await findAllCode(context, flags, names), failures: [] };
  const loaded = await loadCode(context, flags);
  // A check that says OK must have seen all of it.
  const found = flags.output === 'nagios' ? allOf(loaded) : loaded.found;
  return { found, failures: loaded.failures.map(({ error }) => error) };
}

async function watch(
  watching: Watching,
  judge: (measured: Measured) => { readonly over: readonly Finding[] },
  flags: Flags,
  context: Context,
): Promise<Measured> {
  const { watchAsLines, watchOnTerminal } = await import('./support/watch-lag.js');
  const format = context.format({ people: 'table', pipe: 'tsv' });
  if (format === 'table' && canRedraw(context.io)) return watchOnTerminal(watching, context);
  const isForMonitoring = flags.output === 'prometheus' || flags.output === 'nagios';
  const write = isForMonitoring
    ? (measured: Measured) => print(measured, judge(measured).over, flags, context)
    : createChangeWriter(context);
  return watchAsLines(watching, write, context);
}

/** Returns what prints a row when it has changed, and at least once a minute; as JSON, each measurement is a line. */
function createChangeWriter(context: Context): (measured: Measured) => Promise<void> {
  const { stdout } = context.io;
  if (context.asJson) {
    return ({ report, sagas, findings }) => stdout.write(renderReport({ ...report, sagas, findings }));
  }
  const shown = [...columns, parkedColumn];
  const printed = new Map<string, { readonly fields: string; readonly at: number }>();
  let head: readonly string[] = [...shown.map(({ heading }) => heading), 'at'];
  return async ({ report }) => {
    const now = context.io.now();
    const changed = report.projections.filter((lag) => {
      // The age of what waits is another one each time.
      const fields = JSON.stringify({ ...lag, ageMs: null, rate: null, etaMs: null });
      const before = printed.get(lag.name);
      if (before?.fields === fields && now.getTime() - before.at < heartbeatMs) return false;
      printed.set(lag.name, { fields, at: now.getTime() });
      return true;
    });
    const rows = changed.map((lag) => [...shown.map(({ field }) => field(lag)), now.toISOString()]);
    const lines = rows.map(renderTsvLine).join('');
    await stdout.write((head.length > 0 ? renderTsvLine(head) : '') + lines);
    head = [];
  };
}

const columns: readonly ListColumn<ProjectionLag>[] = [
  { heading: 'name', field: ({ name }) => name },
  { heading: 'version', field: ({ version }) => version, align: 'right', rank: 'low' },
  { heading: 'status', field: ({ status }) => status, rank: 'high' },
  { heading: 'position', field: ({ position }) => position, align: 'right', rank: 'low' },
  {
    heading: 'lag',
    field: ({ lag }) => lag,
    text: ({ lag, estimated }) => countOf(lag, estimated),
    align: 'right',
    rank: 'high',
  },
  { heading: 'age', field: ({ ageMs }) => ageMs, text: ({ ageMs }) => showDuration(ageMs), align: 'right' },
  {
    heading: 'rate',
    field: ({ rate }) => rate,
    text: ({ rate }) => (rate === null ? '-' : `${groupDigits(Math.round(rate))}/s`),
    align: 'right',
  },
  {
    heading: 'eta',
    field: ({ etaMs }) => etaMs,
    text: ({ etaMs, lag }) => (lag === 0 ? '-' : showDuration(etaMs)),
    align: 'right',
  },
  { heading: 'owner', field: ({ owner }) => owner, rank: 'low' },
  { heading: 'error', field: ({ error }) => error, text: ({ error }) => summariseFailure(error ?? ''), isBelow: true },
];

const estimatedColumn: ListColumn<ProjectionLag> = {
  heading: 'estimated',
  field: ({ estimated }) => estimated,
  isForPrograms: true,
};

const waitingColumn: ListColumn<ProjectionLag> = {
  heading: 'waiting',
  field: ({ waiting }) => waiting ?? null,
  align: 'right',
};

const parkedColumn: ListColumn<ProjectionLag> = {
  heading: 'parked',
  field: ({ parked }) => parked,
  text: ({ parked }) => (parked === 0 ? '-' : groupDigits(parked)),
  align: 'right',
};

async function print(
  { report, sagas, findings }: Measured,
  over: readonly Finding[],
  flags: Flags,
  context: Context,
): Promise<void> {
  const { stdout } = context.io;
  if (flags.output === 'prometheus') return stdout.write(renderPrometheus(report, findings, sagas));
  if (flags.output === 'nagios') return stdout.write(renderNagios(report, [...over, ...findings]));
  await printList(
    context,
    report.projections,
    [
      ...columns,
      ...(flags.count === true ? [waitingColumn] : []),
      ...rarely(context, report.projections, parkedColumn),
      estimatedColumn,
    ],
    { report: { ...report, sagas, findings }, nothing: 'no projection has run on this store yet', mark: markOf },
  );
  for (const { saga, overdue, states } of sagas) {
    const counted = states.map(({ state, instances }) => `${groupDigits(instances)} ${state}`).join(', ');
    await context.note(`saga ${saga}: ${counted}${overdue === 0 ? '' : `; ${groupDigits(overdue)} overdue`}`);
  }
  // What every foreign subscription has is not worth a line each.
  const told = sortFindings(findings).filter(
    ({ kind, severity }) => kind !== 'foreign-checkpoint' || severity !== 'note',
  );
  for (const finding of told) {
    const isUrgent = finding.kind === 'held-back' && finding.severity === 'warning';
    await (isUrgent ? context.warn : context.note)(describeFinding(finding));
    if (finding.next !== null) await context.note(`  next: ${finding.next}`);
  }
  for (const { name } of report.projections.filter(({ status }) => status === 'detached')) {
    await context.note(
      `${name} is detached, because no code defines it; remove it with: evstore projections forget ${name}`,
    );
  }
  await tellIdle(report.projections, context);
}

/** Appends write the rows of an inline projection, so events wait for no runner. */
async function tellIdle(projections: readonly ProjectionLag[], context: Context): Promise<void> {
  const idle = projections.filter(({ status, mode, lag }) => status === 'idle' && mode !== 'inline' && lag > 0);
  if (idle.length > mostIdle) {
    await context.note(`${idle.length} projections are behind and no process runs them; run all with: evstore run`);
    return;
  }
  for (const each of idle) {
    const behind = `${each.estimated ? 'about ' : ''}${count(each.lag, 'event')} behind`;
    await context.note(`${each.name} is ${behind} and no process runs it; run it with: ${nextOf(each)}`);
  }
}

/** Projections in the code that never ran have no checkpoint: a check that saw nothing of them does not say that all is well. */
function judgeNew(
  code: readonly LoadedProjection[],
  { report }: Measured,
  { maxLag, maxAgeMs }: LagLimits,
  { output }: Flags,
): readonly Finding[] {
  if (maxLag === undefined && maxAgeMs === undefined && output !== 'nagios') return [];
  const ran = new Set(report.projections.map(({ name }) => partOf(name).projection));
  return code
    .filter(({ name }) => !ran.has(name))
    .map(({ name }): Finding => {
      const next = `evstore run ${shellWord(name)}`;
      return { kind: 'never-run', severity: 'error', subject: name, detail: 'is new: it has never run', next };
    });
}

/** As a check, it fails on what must be fixed, too: a projection that stopped is not well because it is only one event behind. */
function faultsOf(
  { report, findings }: Measured,
  over: readonly Finding[],
  { maxLag, maxAgeMs }: LagLimits,
  { output }: Flags,
): readonly Finding[] {
  if (output === 'nagios') return judgeNagios(report, [...over, ...findings]).faults;
  const isCheck = maxLag !== undefined || maxAgeMs !== undefined;
  return isCheck ? [...over, ...findings.filter(({ severity }) => severity === 'error')] : [];
}

/** Nagios reads stdout only. */
function fail(faults: readonly Finding[], over: readonly Finding[], flags: Flags): number {
  if (flags.output === 'nagios') return 1;
  const others = faults.filter((fault) => !over.includes(fault));
  const parts = [
    ...(over.length > 0 ? [`over the limit: ${over.map(describeFinding).join('; ')}`] : []),
    ...(others.length > 0 ? [`to fix: ${others.map(describeFinding).join('; ')}`] : []),
  ];
  // What stopped it comes before how far it is behind.
  const next = [...others, ...over].find((fault) => fault.next !== null)?.next ?? undefined;
  throw new EvstoreError('E_CHECK_FAILED', parts.join('; '), { next, details: { findings: faults } });
}

function showDuration(milliseconds: number | null): string {
  return milliseconds === null ? '-' : formatDuration(milliseconds);
}

/** `evstore import`: NDJSON into the store, in batches, resumable by running it again. */

import { setImmediate } from 'node:timers/promises';
import { EvstoreError, isEvstoreError } from '../src/domain/errors.js';
import { renderReport } from '../src/output/json-line.js';
import { groupDigits } from '../src/output/numbers.js';
import type { Engine, ImportedEvent, ImportResult } from '../src/store/store.js';
import { openInput } from '../src/terminal/input.js';
import { type FaultyLine, type Line, readAllLines } from '../src/terminal/lines.js';
import { sanitise } from '../src/terminal/sanitise.js';
import type { Command, Context, Flags } from './options/command.js';
import { option } from './options/option.js';
import { oneOf, wholeNumber } from './options/parse-option.js';
import { dryRunOption, progressOption } from './options/shared-options.js';
import { LineIds, toImportedEvent } from './support/import-line.js';
import { InvalidLines } from './support/invalid-lines.js';

/** On SQLite many share a transaction, and the fewer pass between its threads at a time the less memory they take. */
const defaultBatchSizes: Readonly<Record<Engine, number>> = { postgres: 10_000, sqlite: 500 };
/** A batch of long lines has fewer: two of them are in memory at a time. */
const maxBatchCharacters = 8_000_000;
/** While a batch is written the server waits for each answer as long as the lines that are read in between take. */
const linesInARow = 32;

interface ImportFlags {
  readonly batchSize?: number;
  readonly onConflict?: 'skip' | 'fail';
  readonly source?: string;
  readonly onInvalid?: 'skip' | 'fail';
}

interface ImportReport {
  /** In a dry run: what can be imported, as far as it is not there already. */
  readonly imported: number;
  /** Already there with equal content. This and what follows is null in a dry run, which opens no store. */
  readonly known: number | null;
  readonly skipped: number | null;
  /** Streams that are new. */
  readonly streams: number | null;
  /** Left out, because they hold no event that can be stored. */
  readonly invalid: number;
  /** Read and not blank. */
  readonly lines: number;
  readonly dryRun: boolean;
}

export const command: Command = {
  usage: 'import [file]',
  writes: 'the events, one transaction for each batch; known events are skipped',
  examples: [
    { line: 'evstore import orders.ndjson', purpose: 'import a file; running it again changes nothing' },
    { line: 'evstore import orders.ndjson.gz --dry-run', purpose: 'check every line, write nothing' },
    {
      line: 'curl -s "$FEED" | evstore import --source feed',
      purpose: 'import from stdin; the same lines again change nothing',
    },
    { line: 'evstore export --store "$OLD" | evstore import --store "$NEW"', purpose: 'copy a store' },
  ],
  options: [
    option(
      '--batch-size <count>',
      `events in one transaction (default: ${defaultBatchSizes.postgres}, SQLite: about half a second of work)`,
      wholeNumber(1),
    ),
    option(
      '--on-conflict <how>',
      'if an id exists with other content: skip, fail (default: fail)',
      oneOf('skip', 'fail'),
    ),
    option(
      '--on-invalid <how>',
      'if a line holds no event that can be stored: skip, fail (default: fail). Without it the later events of its stream get lower versions',
      oneOf('skip', 'fail'),
    ),
    option(
      '--source <name>',
      "recognise lines without an id by this name and the content up to the line (default: the file's name; from stdin every line without an id is a new event)",
    ),
    progressOption(),
    dryRunOption(),
  ],
  run: async ([given], flags, context) => {
    if (given === undefined && context.io.stdin.isTTY) {
      throw new EvstoreError('E_USAGE', 'there is nothing to import', {
        why: 'Name a file, or pipe lines in; - reads what is typed.',
        next: 'evstore import --help',
      });
    }
    const source = given ?? '-';
    const report =
      flags.dryRun === true ? await checkLines(source, flags, context) : await importLines(source, flags, context);
    await context.io.stdout.write(render(report, context));
    return 0;
  },
};

/** Every line is read and checked; no store is opened. */
async function checkLines(source: string, flags: Flags, context: Context): Promise<ImportReport> {
  const { name, bytes } = await openInput(source, context.io);
  const invalid = new InvalidLines(flags, context);
  const ids = new LineIds(undefined);
  let lines = 0;
  for await (const line of readAllLines(bytes, name)) {
    await invalid.read(() => toImportedEvent(line, name, ids));
    lines += 1;
    if (context.io.signal.aborted) break;
  }
  await invalid.tell();
  const imported = lines - invalid.count;
  return { imported, known: null, skipped: null, streams: null, invalid: invalid.count, lines, dryRun: true };
}

async function importLines(input: string, flags: Flags, context: Context): Promise<ImportReport> {
  const { signal } = context.io;
  const { name, bytes } = await openInput(input, context.io);
  const { engine, log } = await context.openStore();
  const { batchSize, onConflict: conflict = 'fail', source } = flags as ImportFlags;
  const ids = LineIds.of(input, source);
  const size = batchSize ?? defaultBatchSizes[engine];
  const progress = await context.progress(`import ${name}`);
  const invalid = new InvalidLines(flags, context);
  const total = { imported: 0, known: 0, skipped: 0, newStreams: 0 };
  /** Number of the last line of each batch that is not committed yet. */
  const ends: number[] = [];
  /** Of what was committed: how many lines, and the number of the last one. */
  let lines = 0;
  let safeLine = 0;
  const committed = (result: ImportResult) => {
    addTo(total, result);
    lines += result.imported + result.known + result.skipped;
    safeLine = ends.shift() ?? safeLine;
    progress.update(lines);
  };
  try {
    const batches = readBatches(readAllLines(bytes, name), { name, ids, invalid, size, signal, ends });
    await log.importBatches(batches, { conflict, joined: batchSize === undefined, committed });
  } catch (error) {
    throw isEvstoreError(error) ? withPlace(error, { name, safeLine, ids }, total) : error;
  } finally {
    progress.stop();
  }
  if (signal.aborted) await context.note(`stopped after line ${safeLine}; ${howToContinue(ids, safeLine)}`);
  if (ids.derived > 0 && total.known > 0) {
    await context.note(
      'lines without an id are recognised by their source and the content up to the line; --source NAME makes them other events',
    );
  }
  await invalid.tell();
  const { newStreams: streams, ...counts } = total;
  return { ...counts, streams, invalid: invalid.count, lines: lines + invalid.count, dryRun: false };
}

interface Reading {
  readonly name: string;
  readonly ids: LineIds;
  readonly invalid: InvalidLines;
  readonly size: number;
  readonly signal: AbortSignal;
  /** Gets the number of the last line of each batch. */
  readonly ends: number[];
}

async function* readBatches(
  lines: AsyncIterable<Line | FaultyLine>,
  { name, ids, invalid, size, signal, ends }: Reading,
): AsyncGenerator<readonly ImportedEvent[]> {
  let batch: ImportedEvent[] = [];
  let characters = 0;
  let lastLine = 0;
  for await (const line of lines) {
    if (line.number % linesInARow === 0) await setImmediate();
    const event = await invalid.read(() => toImportedEvent(line, name, ids));
    if (event === undefined) continue;
    batch.push(event);
    characters += line.text.length;
    lastLine = line.number;
    if (batch.length >= size || characters >= maxBatchCharacters) {
      ends.push(lastLine);
      yield batch;
      batch = [];
      characters = 0;
    }
    if (signal.aborted) return;
  }
  if (batch.length === 0 || signal.aborted) return;
  ends.push(lastLine);
  yield batch;
}

function addTo(total: { -readonly [Key in keyof ImportResult]: number }, result: ImportResult): void {
  for (const key of Object.keys(total) as (keyof ImportResult)[]) total[key] += result[key];
}

interface Reached {
  readonly name: string;
  /** Number of the last line that is stored; 0 if none is. */
  readonly safeLine: number;
  readonly ids: LineIds;
}

/** Adds what is stored already, which matters as much as what is wrong. */
function withPlace(error: EvstoreError, { name, safeLine, ids }: Reached, total: ImportResult): EvstoreError {
  const { why, next, details, code, message } = error;
  const stored =
    safeLine === 0
      ? 'Nothing was written.'
      : `The lines up to ${safeLine} are stored, those after it are not; ${howToContinue(ids, safeLine)}.`;
  const after = safeLine === 0 ? name : `${name} after line ${safeLine}`;
  return new EvstoreError(code, message.startsWith(name) ? message : `${after}: ${message}`, {
    why: why === undefined ? stored : `${why} ${stored}`,
    next,
    details: { ...details, storedUpToLine: safeLine, imported: total.imported, known: total.known },
    cause: error,
  });
}

function howToContinue(ids: LineIds, safeLine: number): string {
  if (ids.areDerived) return 'run the same command again to continue';
  return `to continue, import the lines from ${safeLine + 1}: lines without an id would be stored twice`;
}

function render(report: ImportReport, context: Context): string {
  if (context.quiet) return `${report.imported}\n`;
  if (context.format({ people: 'table', pipe: 'json' }) !== 'table') return renderReport(report);
  const { imported, known, skipped, streams, invalid, dryRun } = report;
  const count = (value: number | null) => groupDigits(value ?? 0);
  if (dryRun) return `${count(imported)} lines can be imported; nothing was written\n`;
  const parts = [`${count(imported)} events imported`, `${count(known)} already there`];
  if (skipped !== null && skipped > 0) parts.push(`${count(skipped)} skipped`);
  if (invalid > 0) parts.push(`${count(invalid)} invalid`);
  return sanitise(`${parts.join(', ')}; ${count(streams)} new streams`).concat('\n');
}

/** `evstore append`: one event, or a batch, to one stream, all or nothing. */

import { allOf } from '../src/config/load-files.js';
import { EvstoreError, isEvstoreError } from '../src/domain/errors.js';
import type { AppendResult, ExpectedVersion, NewEvent } from '../src/domain/event.js';
import { validateAppend } from '../src/domain/validate.js';
import { judgeReaders } from '../src/findings/examine.js';
import { renderReport } from '../src/output/json-line.js';
import { groupDigits } from '../src/output/numbers.js';
import { renderTsv } from '../src/output/tsv.js';
import type { LoadedProjection } from '../src/projection/define/load.js';
import { describeLeft, InlineUpkeep } from '../src/projection/run/inline-upkeep.js';
import { assertProjectionsExist, waitForProjections } from '../src/projection/status/wait.js';
import { sanitise } from '../src/terminal/sanitise.js';
import type { Command, Context, Flags } from './options/command.js';
import { option } from './options/option.js';
import { duration, expectedVersion, uuid, wholeNumber } from './options/parse-option.js';
import { dryRunOption, projectionsOption } from './options/shared-options.js';
import { readNewEvents } from './support/append-input.js';
import { loadCode } from './support/projection-code.js';

const waitMs = 5_000;

export const command: Command = {
  usage: 'append <stream>',
  writes: 'the events, in one transaction; with --inline also the rows of inline projections',
  examples: [
    {
      line: `evstore append Order-42 --type OrderPlaced --data '{"total":4200}'`,
      purpose: 'append one event',
    },
    {
      line: 'evstore append Order-42 --type OrderPlaced --expected-version none',
      purpose: 'append only if the stream is new',
    },
    {
      line: 'evstore append Order-42 --type InvoiceSent --data @invoice.json',
      purpose: 'read the payload from a file',
    },
    {
      line: 'evstore append Order-42 --from events.ndjson --expected-version 7',
      purpose: 'append a batch, all or nothing',
    },
    {
      line: 'evstore append Order-42 --type OrderPaid --wait-for order_summary',
      purpose: 'return when order_summary contains the event',
    },
    { line: 'evstore append Order-42 --type OrderPaid --inline', purpose: 'also write the rows of inline projections' },
  ],
  options: [
    option('--type <type>', 'event type, such as OrderPlaced'),
    option('--data <json>', 'payload: JSON, @FILE, or - for stdin (default: {})'),
    option('--metadata <json>', 'metadata: a JSON object (default: {})'),
    option('--id <uuid>', 'id of the event; a retry with the same id and content is safe', uuid),
    option(
      '--expected-version <version>',
      'append only if the stream is at this version: N, any, none, exists (default: any)',
      expectedVersion,
    ),
    option('--correlation-id <id>', 'set correlationId in the metadata of events without one'),
    option('--causation-id <id>', 'set causationId in the metadata of events without one'),
    option('--schema-version <version>', 'schema version of the payload (default: 1)', wholeNumber(1)),
    option('--stream-type <type>', 'stream type to record (default: the category of the stream)'),
    option('--from <file>', 'append a batch: NDJSON lines {type, data, metadata?, id?}, - for stdin'),
    option('--inline', 'also write the rows of inline projections; runs the code of the project'),
    option('--fail-on-stale', 'with --inline: append nothing if other code made the rows of one'),
    projectionsOption(),
    option('--wait-for <projection>', 'return when this projection has processed the events'),
    option(
      '--timeout <duration>',
      `give up after this long: connecting (default: 5s), retries (default: 30s), --wait-for (default: ${waitMs / 1000}s)`,
      duration,
    ),
    option('--allow-large', 'allow events over 10 KB, up to 1 MB'),
    dryRunOption(),
  ],
  run: ([streamId = ''], flags, context) => append(streamId, flags, context),
};

async function append(streamId: string, flags: Flags, context: Context): Promise<number> {
  assertInline(flags);
  const expected = (flags.expectedVersion ?? 'any') as ExpectedVersion;
  const made = await readNewEvents(flags, context.io);
  const events = validateAppend(streamId, made, expected, { allowLarge: flags.allowLarge === true });
  const inline = flags.inline === true ? await loadInline(context, flags) : [];
  if (flags.dryRun === true) {
    const ids = events.map(({ id }) => id);
    const report = { streamId, expected, events: ids.map((id) => ({ id })), ids, dryRun: true };
    const asJson = context.format({ people: 'table', pipe: 'json' }) !== 'table';
    const text = `${events.length === 1 ? '1 event is' : `${groupDigits(events.length)} events are`} valid and would be appended to ${sanitise(streamId)}\n`;
    await context.io.stdout.write(asJson ? renderReport(report) : text);
    return 0;
  }
  const store = await context.openStore();
  const upkeep = await InlineUpkeep.start(store, inline);
  const { waitFor, timeout } = flags as { waitFor?: string; timeout?: number };
  // A name that nobody has is found out before anything is written.
  if (waitFor !== undefined) await assertProjectionsExist(store, [waitFor]);
  const staleInline = flags.failOnStale === true ? ('fail' as const) : ('leave' as const);
  const options = { inline: upkeep.inline, staleInline, ...(timeout !== undefined && { timeoutMs: timeout }) };
  const result = await store.log.append(streamId, events, expected, options).catch((error) => {
    throw withSameIds(error, events, flags, context);
  });
  await context.io.stdout.write(render(result, context));
  await context.io.stdout.flush();
  for (const name of result.inlineLeft ?? []) await context.warn(describeLeft(name));
  upkeep.appended();
  await upkeep.close();
  if (waitFor === undefined) return 0;
  const { signal } = context.io;
  const { globalPosition: position } = result;
  await waitForProjections({
    store,
    names: [waitFor],
    position,
    timeoutMs: timeout ?? waitMs,
    signal,
    judge: judgeReaders(store, context.io.now),
  });
  return 0;
}

function assertInline({ inline, projections, failOnStale }: Flags): void {
  if ((projections === undefined && failOnStale === undefined) || inline === true) return;
  const flag = projections === undefined ? '--fail-on-stale' : '--projections';
  throw new EvstoreError('E_USAGE', `${flag} needs --inline`, {
    why: 'Without --inline, append reads no projection files. Nothing was appended.',
  });
}

/** @throws E_NOT_FOUND without a projection that would be written, and the error of a file that may hold one */
async function loadInline(context: Context, flags: Flags): Promise<readonly LoadedProjection[]> {
  const inline = allOf(await loadCode(context, flags)).filter(({ mode }) => mode === 'inline');
  if (inline.length > 0) return inline;
  throw new EvstoreError('E_NOT_FOUND', 'no projection of mode inline found', {
    why: "A projection is inline when its definition says mode: 'inline'. Nothing was appended.",
    next: 'evstore projections',
  });
}

/** When nobody knows whether it was committed, the command that finds out carries the ids this one had. */
function withSameIds(error: unknown, events: readonly NewEvent[], flags: Flags, context: Context): unknown {
  if (!isEvstoreError(error) || error.code !== 'E_OUTCOME_UNKNOWN') return error;
  const [first] = events;
  const isNamed = flags.id !== undefined || flags.from !== undefined;
  return new EvstoreError(error.code, error.message, {
    why: flags.from === undefined ? error.why : `${error.why} Its lines need these ids: ${idsOf(events)}.`,
    next: isNamed || first === undefined ? context.repeatedWith() : context.repeatedWith('--id', first.id),
    details: error.details,
    cause: error.cause,
  });
}

function idsOf(events: readonly NewEvent[]): string {
  return events.map(({ id }) => id).join(', ');
}

function render(result: AppendResult, context: Context): string {
  if (context.quiet) return result.events.map(({ id }) => `${id}\n`).join('');
  const format = context.format({ people: 'table', pipe: 'json' });
  if (format === 'tsv') {
    const rows = result.events.map(({ id, version, globalPosition }) => [id, version, globalPosition]);
    return renderTsv(['id', 'version', 'globalPosition'], rows);
  }
  if (format !== 'table') return renderReport({ ...result, dryRun: false });
  const { theme } = context.view;
  const stream = theme.strong(sanitise(result.streamId));
  const place = theme.faint(`(global position ${groupDigits(result.globalPosition)})`);
  // The stream may have continued since.
  if (result.deduplicated) return `already stored: up to version ${result.version} of ${stream} ${place}\n`;
  return `${theme.good('appended')}: ${stream} is at version ${result.version} ${place}\n`;
}

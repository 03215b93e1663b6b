/** `--fields`: only some values of each event. */
import type { Option } from 'commander';
import { EvstoreError } from '../../src/domain/errors.js';
import type { RecordedEvent } from '../../src/domain/event.js';
import { sanitiseJson } from '../../src/domain/safe-json.js';
import { parseEventPlace, selectFromEvent } from '../../src/domain/where/event.js';
import { renderTsvLine } from '../../src/output/tsv.js';
import { sanitise } from '../../src/terminal/sanitise.js';
import type { Context } from '../options/command.js';
import { listOption } from '../options/option.js';

/** Prints only the values named, in the format asked for. */
export function fieldsOption(): Option {
  return listOption('--fields <places>', 'print only these: streamId,data.total,metadata.correlationId', splitPlaces);
}

/** Commas inside quotes belong to a name. */
function splitPlaces(text: string): readonly string[] {
  const places = (text.match(/(?:[^,"']|"(?:[^"\\]|\\.)*"|'[^']*')+/g) ?? []).map((place) => place.trim());
  for (const place of places) parseEventPlace(place);
  if (places.length === 0) throw new EvstoreError('E_USAGE', 'names no value');
  return places;
}

export interface FieldRenderer {
  /** The line of headings, if there is one. */
  readonly head: string;
  readonly render: (events: readonly RecordedEvent[]) => string;
  /** The names that no event had so far. */
  readonly missing: () => readonly string[];
}

/** Values for programs as JSON or TSV, for people with two blanks between them. */
export function createFieldRenderer(names: readonly string[], context: Context): FieldRenderer {
  const places = names.map(parseEventPlace);
  const format = context.format({ people: 'table', pipe: 'ndjson' });
  const missing = new Set(names);
  const line = (event: RecordedEvent): string => {
    const values = places.map((place) => selectFromEvent(place, event));
    if (missing.size > 0) for (const [at, name] of names.entries()) if (values[at] !== undefined) missing.delete(name);
    if (format === 'tsv') {
      return renderTsvLine(values.map((value) => (value === undefined ? null : toPlainText(value))));
    }
    if (format === 'table') return `${values.map((value) => sanitise(toPlainText(value ?? '-'))).join('  ')}\n`;
    const members = values.flatMap((value, index) =>
      value === undefined ? [] : [`${JSON.stringify(names[index])}:${value}`],
    );
    return `${sanitiseJson(`{${members.join()}}`)}\n`;
  };
  return {
    head: format === 'tsv' ? renderTsvLine(names) : '',
    render: (events) => events.map(line).join(''),
    missing: () => [...missing],
  };
}

/** A string without its quotes, other values as JSON. */
function toPlainText(json: string): string {
  return json.startsWith('"') ? (JSON.parse(json) as string) : json;
}

/** An event as one line of JSON. Data and metadata are passed through as text, never parsed. */
import type { RecordedEvent } from '../domain/event.js';
import { quoteJson, sanitiseJson } from '../terminal/sanitise.js';

/** Without the line break. */
export function renderEventLine(event: RecordedEvent): string {
  return (
    `{"globalPosition":${event.globalPosition},"streamId":${quoteJson(event.streamId)},"version":${event.version},` +
    `"type":${quoteJson(event.type)},"schemaVersion":${event.schemaVersion},"id":${quoteJson(event.id)},` +
    `"data":${sanitiseJson(event.data)},"metadata":${sanitiseJson(event.metadata)},` +
    `"streamType":${quoteJson(event.streamType)},"createdAt":${quoteJson(event.createdAt)}}`
  );
}

/** A report as one JSON document, with a line break. */
export function renderReport(report: unknown): string {
  return `${sanitiseJson(JSON.stringify(report))}\n`;
}

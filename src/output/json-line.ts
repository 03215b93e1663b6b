/** Renders a report as one line of JSON. */
import { sanitiseJson } from '../domain/safe-json.js';

/** A report as one JSON document, with a line break. */
export function renderReport(report: unknown): string {
  return `${sanitiseJson(JSON.stringify(report))}\n`;
}

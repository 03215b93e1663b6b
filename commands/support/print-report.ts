import { renderReport } from '../../src/output/json-line.js';
import type { Context } from '../options/command.js';

/** Prints a result: one JSON document for programs, one value with `--quiet`, text for people. */
export async function printReport(
  context: Context,
  report: unknown,
  value: string | number,
  render: () => string | Promise<string>,
): Promise<void> {
  const text = context.asJson ? renderReport(report) : context.quiet ? `${value}\n` : await render();
  await context.io.stdout.write(text);
}

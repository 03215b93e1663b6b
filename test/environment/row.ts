/** A table of environments: each row is a case, which runs if the machine has what it needs and is counted if not. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'vitest';

export interface Row {
  /** The environment. */
  readonly name: string;
  /** Says what must happen there. */
  readonly expected: string;
  /** Why it cannot run on this machine. */
  readonly lacks?: string | undefined;
  /** What evstore does wrong here today: the case is expected to fail, until that is mended. */
  readonly failsToday?: string | undefined;
  readonly run: () => Promise<unknown>;
}

/** Where the run of the tests collects the rows that did not run; its end prints them. */
const notRunFile = () => join(process.env.EVSTORE_TEST_SCRATCH ?? '/tmp', 'environments-not-run');

export function describeRows(title: string, rows: readonly Row[]): void {
  describe(title, () => {
    for (const { name, expected, lacks, failsToday, run } of rows) {
      const isExpectedToFail = failsToday !== undefined && lacks === undefined;
      test(`${name}: ${expected}`, { fails: isExpectedToFail }, async (context) => {
        if (lacks === undefined) return void (await run());
        if (process.env.EVSTORE_TEST_EVERY_ENVIRONMENT === '1') throw new Error(`this row must run: ${lacks}`);
        appendFileSync(notRunFile(), `${title}, ${name}: ${lacks}\n`);
        context.skip(lacks);
      });
    }
  });
}

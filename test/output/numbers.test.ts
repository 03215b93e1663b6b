import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { count } from '../../src/domain/words.js';
import { groupDigits } from '../../src/output/numbers.js';

test('the digits of a number for people are in groups, with its noun too', () => {
  expect([0, 999, 1_000, 205_001, -1_234_567].map(groupDigits)).toEqual(['0', '999', '1,000', '205,001', '-1,234,567']);
  expect([count(1, 'event'), count(205_001, 'event'), count(2, 'index', 'indexes')]).toEqual([
    '1 event',
    '205,001 events',
    '2 indexes',
  ]);
});

/** A position, or an amount of something, that a sentence tells as it is. */
const ungrouped =
  /(?<!-)\bposition \$\{(?!groupDigits|positions\.map)|\$\{(?!groupDigits|count|about|describe|of\()[^{}]*\} (?:events|rows|positions|streams|lines|parked|checkpoints)\b/;

test('no sentence tells a position or an amount without groups', () => {
  const files = ['src', 'commands'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  );
  const sources = files.filter((file) => file.endsWith('.ts'));
  expect(sources.length).toBeGreaterThan(300);
  const found = sources.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line, at) => (ungrouped.test(line) ? [`${file}:${at + 1} ${line.trim()}`] : [])),
  );
  expect(found).toEqual([]);
});

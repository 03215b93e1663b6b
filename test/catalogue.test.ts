/** The codes in test names and their catalogue in README.md agree. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';

const code = /(?<![\w-])[AFHORW]\d{1,2}(?![\w-])/g;

/** `CODE FILE` for each code and each file that has it in a test name. */
function codesInTests(): string[] {
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => /\.(test|suite)\.ts$/.test(file))
    .flatMap((file) => {
      const found = readFileSync(join(import.meta.dirname, file), 'utf8').match(code) ?? [];
      return [...new Set(found)].map((each) => `${each} ${basename(file)}`);
    });
}

function codesInCatalogue(): string[] {
  const readme = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8');
  return [...readme.matchAll(/^\| ([A-Z]\d+) \| [^|]+ \| ([^|]+) \|$/gm)].flatMap(([, each, files = '']) =>
    [...files.matchAll(/`([^`]+)`/g)].map(([, file]) => `${each} ${file}`),
  );
}

test('each code in a test name is in the catalogue with its file, and the catalogue has no other', () => {
  expect(codesInTests().sort()).toEqual(codesInCatalogue().sort());
});

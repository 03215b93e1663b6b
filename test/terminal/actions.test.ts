import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { appendSummary, openGroup, toAnnotation } from '../../src/terminal/actions.js';
import { startProgress } from '../../src/terminal/progress.js';
import { makeFolder } from '../support/cli.js';

test('text is escaped as the runner unescapes it, and stays one line', () => {
  expect(toAnnotation('warning', '100 %\r\nnext: a:b,c')).toBe('::warning::100 %25\\u{d}%0Anext: a:b,c\n');
  expect(toAnnotation('error', 'no', 'a:b,c%')).toBe('::error title=a%3Ab%2Cc%25::no\n');
  expect(openGroup('rebuild a\n::error::b')).toBe('::group::rebuild a\\u{a}::error::b\n');
});

test('a summary is appended, and asked for by the environment alone', async () => {
  const cwd = makeFolder();
  const env = { GITHUB_STEP_SUMMARY: 'summary.md' };
  await appendSummary({ env: {}, cwd }, 'none\n');
  await appendSummary({ env, cwd }, 'one\n');
  await appendSummary({ env, cwd }, 'two\n');
  expect(readFileSync(join(cwd, 'summary.md'), 'utf8')).toBe('one\ntwo\n');
});

async function show(env: Record<string, string>, mode: 'people' | 'json' = 'people'): Promise<string> {
  let printed = '';
  const write = async (text: string) => {
    printed += text;
  };
  const stderr = { isTTY: false, write };
  const progress = await startProgress({ stderr, env } as never, mode, 'rebuild a, b');
  progress.update(0, { total: 100, step: 'fill' });
  progress.update(5);
  progress.update(60);
  progress.update(100, { label: 'rebuild a', step: 'index' });
  progress.update(100, { label: 'rebuild b' });
  progress.stop();
  return printed.replace(/, [\d,]+\/s/g, '');
}

test('progress has a line for each step, and for each tenth; in Actions a group for each label', async () => {
  expect(await show({})).toBe(
    'rebuild a, b: fill: 0 of 100 (0 %)\n' +
      'rebuild a, b: fill: 60 of 100 (60 %)\n' +
      'rebuild a: index: 100 of 100 (100 %)\n' +
      'rebuild b: index: 100 of 100 (100 %)\n',
  );
  expect(await show({ GITHUB_ACTIONS: 'true' })).toBe(
    '::group::rebuild a, b\n' +
      'rebuild a, b: fill: 0 of 100 (0 %)\n' +
      'rebuild a, b: fill: 60 of 100 (60 %)\n' +
      '::endgroup::\n::group::rebuild a\n' +
      'rebuild a: index: 100 of 100 (100 %)\n' +
      '::endgroup::\n::group::rebuild b\n' +
      'rebuild b: index: 100 of 100 (100 %)\n' +
      '::endgroup::\n',
  );
  const lines = (await show({ GITHUB_ACTIONS: 'true' }, 'json')).trim().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { progress: 'rebuild a, b', step: 'fill', done: 0, total: 100, rate: 0 },
    { progress: 'rebuild a, b', step: 'fill', done: 60, total: 100 },
    { progress: 'rebuild a', step: 'index', done: 100, total: 100 },
    { progress: 'rebuild b', step: 'index', done: 100, total: 100 },
  ]);
});

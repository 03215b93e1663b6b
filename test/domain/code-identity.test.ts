import { describe, expect, it } from 'vitest';
import { compareCode, joinHashes, mayWrite, type SourceHash, whyUnverified } from '../../src/domain/code-identity.js';
import { withMode } from '../../src/domain/projection-mode.js';

const source = (language: 'ts' | 'js', hash = 'a', form = 1): SourceHash => ({ language, hash, form });
const code = (functions: { own?: string; source?: SourceHash } = {}, { version = 1, definition = 'd' } = {}) => ({
  version,
  codeHash: withMode('inline', joinHashes(definition, functions)),
});

describe('compareCode', () => {
  it.each([
    ['the same source', code({ source: source('ts') }), code({ source: source('ts') }), 'current'],
    ['the same source, without its types', code({ source: source('ts') }), code({ source: source('js') }), 'current'],
    ['other TypeScript', code({ source: source('ts') }), code({ source: source('ts', 'b') }), 'stale code'],
    ['other JavaScript', code({ source: source('js') }), code({ source: source('js', 'b') }), 'unverified'],
    [
      'JavaScript in place of TypeScript',
      code({ source: source('ts') }),
      code({ source: source('js', 'b') }),
      'unverified',
    ],
    ['another form', code({ source: source('ts') }), code({ source: source('ts', 'b', 2) }), 'unverified'],
    ['rows of a program', code(), code({ source: source('ts') }), 'unverified'],
    ['code of a program', code({ source: source('ts') }), code(), 'unverified'],
    ['two programs', code(), code(), 'unverified'],
    [
      'the same codeHash',
      code({ own: 'x', source: source('ts') }),
      code({ own: 'x', source: source('ts', 'b') }),
      'current',
    ],
    [
      'another codeHash',
      code({ own: 'x', source: source('ts') }),
      code({ own: 'y', source: source('ts') }),
      'stale code',
    ],
    ['a codeHash on one side', code({ source: source('ts') }), code({ own: 'y', source: source('ts') }), 'current'],
    ['another definition', code({ own: 'x' }), code({ own: 'x' }, { definition: 'e' }), 'stale code'],
    ['another version', code({ own: 'x' }), code({ own: 'x' }, { version: 2 }), 'stale'],
  ])('%s', (_name, rows, now, state) => {
    expect(compareCode(rows, now)).toBe(state);
  });

  it('says why it is unknown whether the functions changed', () => {
    const why = (rows: Parameters<typeof code>[0], now: Parameters<typeof code>[0]) =>
      whyUnverified(code(rows), code(now));
    expect(why({}, { source: source('ts') })).toContain('a program');
    expect(why({ source: source('ts') }, {})).toContain('give its definition a codeHash');
    expect(why({}, { own: 'x' })).toContain('before it had a codeHash');
    expect(why({ source: source('js') }, { source: source('js', 'b') })).toContain('it is JavaScript');
    expect(why({ source: source('ts') }, { source: source('ts', 'b', 2) })).toContain('another release of evstore');
  });
});

it('version, mode and definition decide who may write rows, and nothing else', () => {
  const rows = code({ own: 'x', source: source('ts') });
  expect(mayWrite(rows, code({ own: 'y', source: source('ts', 'b') }))).toBe(true);
  expect(mayWrite(rows, code())).toBe(true);
  expect(mayWrite(rows, code({}, { version: 2 }))).toBe(false);
  expect(mayWrite(rows, code({}, { definition: 'e' }))).toBe(false);
  expect(mayWrite(rows, { version: 1, codeHash: 'd' })).toBe(false);
});

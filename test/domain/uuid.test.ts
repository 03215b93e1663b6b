import { describe, expect, it } from 'vitest';
import { derivedId, isUuid, newEventId } from '../../src/domain/uuid.js';

describe('event ids', () => {
  it('are UUIDs of version 7 that rise', () => {
    const ids = Array.from({ length: 20_000 }, newEventId);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort()).toEqual(ids);
    for (const id of ids.slice(0, 100))
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('are derived: the same text, the same id', () => {
    expect(derivedId('a')).toBe(derivedId('a'));
    expect(derivedId('a')).not.toBe(derivedId('b'));
    expect(derivedId('ü')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(derivedId('evstore')).toBe(derivedId(['evs', 'tore'].join('')));
  });

  it('are recognised in either case, and nothing else is', () => {
    expect(isUuid('0B3F8A52-7c1d-4e65-9a10-2f8d6f0c9b11')).toBe(true);
    for (const text of [
      '',
      'x',
      '0b3f8a527c1d4e659a102f8d6f0c9b11',
      '{0b3f8a52-7c1d-4e65-9a10-2f8d6f0c9b11}',
      `${newEventId()}\n`,
    ]) {
      expect(isUuid(text)).toBe(false);
    }
  });
});

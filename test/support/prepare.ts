import { createHash } from 'node:crypto';
import type { Projection } from '../../src/projection/define/definition.js';
import { type PreparedProjection, prepareProjection } from '../../src/projection/define/prepare.js';
import { form } from '../../src/projection/define/syntax.js';

/**
 * Prepares a projection as if it came from a file of TypeScript: other functions have another source. `validate` is no part
 * of it, because no row depends on it.
 */
export function prepare(projection: Projection): PreparedProjection {
  const text = JSON.stringify({ ...projection, validate: undefined }, (_key, value) =>
    typeof value === 'function' ? String(value) : value,
  );
  return prepareProjection(projection, {
    language: 'ts',
    form,
    hash: createHash('sha256').update(text).digest('hex'),
  });
}

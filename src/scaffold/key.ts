/** Names of members of an object literal. */
import { writeName } from '../inference/typescript.js';

/** `__proto__` as a plain key would set the prototype. */
export function sampleKey(name: string): string {
  return name === '__proto__' ? "['__proto__']" : writeName(name);
}

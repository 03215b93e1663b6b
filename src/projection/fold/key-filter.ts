/**
 * A Bloom filter of the keys that were ever written to a table, in 4 MB. A key it has not seen is not in the table; one it
 * has seen may be. Each key sets two of 32 million bits: after a million keys, one new key in 300 is looked up in vain, and
 * after ten million one in five.
 */

const bits = 25;

export class KeyFilter {
  readonly #words = new Uint32Array(2 ** (bits - 5));

  add(key: string): void {
    const hash = hashText(key);
    this.#set(hash >>> (32 - bits));
    this.#set(mix(hash) >>> (32 - bits));
  }

  mayHold(key: string): boolean {
    const hash = hashText(key);
    return this.#has(hash >>> (32 - bits)) && this.#has(mix(hash) >>> (32 - bits));
  }

  #set(bit: number): void {
    this.#words[bit >>> 5] = (this.#words[bit >>> 5] ?? 0) | (1 << (bit & 31));
  }

  #has(bit: number): boolean {
    return ((this.#words[bit >>> 5] ?? 0) & (1 << (bit & 31))) !== 0;
  }
}

/** FNV-1a over UTF-16, with its bits mixed so that keys which differ only in their last digit lie apart. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return mix(hash);
}

function mix(hash: number): number {
  const once = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
  return twice ^ (twice >>> 16);
}

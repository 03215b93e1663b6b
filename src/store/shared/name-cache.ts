/** Keeps one string for each repeated name: less memory, and faster look-ups. */

const slots = 256;

export class NameCache {
  readonly #names = new Array<string>(slots).fill('');

  /** Returns `text.slice(from, to)`. */
  cut(text: string, from: number, to: number): string {
    const length = to - from;
    const slot = (length * 7 + text.charCodeAt(from) * 31 + text.charCodeAt(to - 1)) % slots;
    const known = this.#names[slot] ?? '';
    if (known.length === length && text.startsWith(known, from)) return known;
    // A copy: a slice would keep all of the text in memory.
    const name = Buffer.from(text.slice(from, to)).toString();
    this.#names[slot] = name;
    return name;
  }
}

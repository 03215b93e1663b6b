/** Names that come again and again, each as one and the same string: less memory, and quicker to look up by. */

const slots = 256;

export class NameCache {
  readonly #names = new Array<string>(slots).fill('');

  /** `text.slice(from, to)`. */
  cut(text: string, from: number, to: number): string {
    const length = to - from;
    const slot = (length * 7 + text.charCodeAt(from) * 31 + text.charCodeAt(to - 1)) % slots;
    const known = this.#names[slot] ?? '';
    if (known.length === length && text.startsWith(known, from)) return known;
    // A copy: a slice would keep the text alive.
    const name = Buffer.from(text.slice(from, to)).toString();
    this.#names[slot] = name;
    return name;
  }
}

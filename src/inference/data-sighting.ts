/** What was seen of the data of one type of events, in one schema version. */
import { countLevels, cut, mostLevels, Sighting, see } from './sighting.js';

export class DataSighting {
  readonly root = new Sighting();
  /** Levels that are told apart; fewer where the data has too many different places. */
  #levels = mostLevels;
  #fresh = 0;
  readonly #mostPlaces: number;

  constructor(mostPlaces: number) {
    this.#mostPlaces = mostPlaces;
  }

  see(data: unknown): void {
    this.#fresh += see(this.root, data, this.#levels);
    if (this.#fresh > this.#mostPlaces) this.#limit();
  }

  /** Levels that are told apart, of the events so far. */
  get levels(): number {
    if (this.#fresh > 0) this.#limit();
    return this.#levels;
  }

  #limit(): void {
    this.#fresh = 0;
    const levels = countLevels(this.root, this.#mostPlaces);
    if (levels >= this.#levels) return;
    this.#levels = levels;
    cut(this.root, levels);
  }
}

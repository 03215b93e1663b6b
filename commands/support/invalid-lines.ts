/** Lines of an import that hold no event that can be stored: the first ends the import, or all are left out and named. */

import { EvstoreError, isEvstoreError } from '../../src/domain/errors.js';
import { groupDigits } from '../../src/output/numbers.js';
import type { ImportedEvent } from '../../src/store/store.js';
import type { Context, Flags } from '../options/command.js';

/** Further lines are only counted. */
const maxTold = 10;

export class InvalidLines {
  readonly #skips: boolean;
  readonly #context: Context;
  #count = 0;

  constructor({ onInvalid }: Flags, context: Context) {
    this.#skips = onInvalid === 'skip';
    this.#context = context;
  }

  get count(): number {
    return this.#count;
  }

  /** @returns undefined for a line that is left out. @throws E_INVALID_INPUT that names the way past it */
  async read(parse: () => ImportedEvent): Promise<ImportedEvent | undefined> {
    try {
      return parse();
    } catch (error) {
      if (!isEvstoreError(error) || error.code !== 'E_INVALID_INPUT') throw error;
      if (!this.#skips) throw withWay(error, this.#context);
      this.#count += 1;
      if (this.#count <= maxTold)
        await this.#context.warn([`left out: ${error.message}`, error.why].filter(Boolean).join('. '));
      return undefined;
    }
  }

  /** Says how many were not named. */
  async tell(): Promise<void> {
    if (this.#count > maxTold) await this.#context.warn(`left out ${groupDigits(this.#count - maxTold)} more lines`);
  }
}

function withWay(error: EvstoreError, context: Context): EvstoreError {
  const next = error.next ?? context.repeatedWith('--on-invalid', 'skip');
  return new EvstoreError(error.code, error.message, {
    why: error.why,
    next,
    details: error.details,
    cause: error.cause,
  });
}

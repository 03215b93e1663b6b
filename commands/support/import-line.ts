/** A line of an import as an event: what it leaves out is filled in. */
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { EvstoreError, isEvstoreError } from '../../src/domain/errors.js';
import { parseEventLine } from '../../src/domain/event-line.js';
import { checkStreamId } from '../../src/domain/names.js';
import { shellWord } from '../../src/domain/shell-word.js';
import { derivedId, newEventId } from '../../src/domain/uuid.js';
import { validateEvent } from '../../src/domain/validate.js';
import type { ImportedEvent } from '../../src/store/store.js';
import type { FaultyLine, Line } from '../../src/terminal/lines.js';

type Mutable<T> = { -readonly [Member in keyof T]: T[Member] };

/** How much text is hashed at a time: one call for each line would take longer. */
const hashedCharacters = 65_536;

/** Gives ids to the lines that have none. */
export class LineIds {
  readonly #source: string | undefined;
  readonly #hash = createHash('sha256');
  #pending = '';
  #derived = 0;

  /**
   * Ids are derived from the source and from all text up to the end of the line, so that a second import of the same file
   * finds its events, also when the file has grown since. Without a source every line is a new event.
   */
  constructor(source: string | undefined) {
    this.#source = source;
  }

  /** @param input as the user named it, `-` for stdin: two files of one name differ by their content, not by their folders */
  static of(input: string, source: string | undefined): LineIds {
    return new LineIds(source ?? (input === '-' ? undefined : basename(input)));
  }

  /** Whether a line without an id gets the same id in a second import. */
  get areDerived(): boolean {
    return this.#source !== undefined;
  }

  /** How many ids were derived. */
  get derived(): number {
    return this.#derived;
  }

  /** To be called for every line, in order. */
  read({ text }: Line): void {
    if (this.#source === undefined) return;
    this.#pending += `${text}\n`;
    if (this.#pending.length > hashedCharacters) this.#flush();
  }

  /** @returns the id of the line that was read last */
  make(): string {
    if (this.#source === undefined) return newEventId();
    this.#flush();
    this.#derived += 1;
    return derivedId(`${this.#source}\n${this.#hash.copy().digest('hex')}`);
  }

  #flush(): void {
    this.#hash.update(this.#pending);
    this.#pending = '';
  }
}

/** Returns the command that imports JSON which is not one event a line, where the explanation names the jq for it. */
function makeLines(why: string | undefined, name: string): string | undefined {
  const [, jq] = /^(jq -c \S+) FILE /.exec(why ?? '') ?? [];
  const canRead = name !== 'stdin' && !name.endsWith('.gz');
  return jq !== undefined && canRead ? `${jq} ${shellWord(name)} | evstore import` : undefined;
}

/** @throws E_INVALID_INPUT with file and line */
export function toImportedEvent(of: Line | FaultyLine, name: string, ids: LineIds): ImportedEvent {
  const { text, number } = of;
  ids.read(of);
  if ('fault' in of) throw of.fault;
  try {
    const line = parseEventLine(text);
    const { streamId, data } = line;
    if (streamId === undefined) throw new EvstoreError('E_INVALID_INPUT', "the member 'streamId' is missing");
    if (data === undefined) throw new EvstoreError('E_INVALID_INPUT', "the member 'data' is missing");
    checkStreamId(streamId);
    const { type, metadata = '{}', schemaVersion = 1, streamType, createdAt } = line;
    const id = line.id ?? ids.make();
    const event: Mutable<ImportedEvent> = { streamId, id, type, schemaVersion, data, metadata };
    if (streamType !== undefined) event.streamType = streamType;
    if (createdAt !== undefined) event.createdAt = createdAt;
    return validateEvent(event, '', { allowLarge: true, isScanned: true });
  } catch (error) {
    if (!isEvstoreError(error)) throw error;
    const { code, message, why, next, details } = error;
    const facts = {
      why,
      next: next ?? makeLines(why, name),
      details: { ...details, file: name, line: number },
      cause: error,
    };
    throw new EvstoreError(code, `${name} line ${number}: ${message}`, facts);
  }
}

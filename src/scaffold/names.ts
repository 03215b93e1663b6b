/** Names of generated code. A name becomes a file, an identifier and a table, so it is checked for all three. */
import { EvstoreError } from '../domain/errors.js';
import { isTableName, toSnakeCase } from '../domain/names.js';

/** One name in the spellings that code needs. */
export interface Spellings {
  /** `order-summary`: files. */
  readonly kebab: string;
  /** `orderSummary`: identifiers. */
  readonly camel: string;
  /** `order_summary`: projections, sagas and tables. */
  readonly snake: string;
  /** `order summary`: sentences. */
  readonly words: string;
}

/** A step of a saga, in the spellings that code needs. */
export interface StepSpellings {
  /** `charge-customer`. */
  readonly kebab: string;
  /** `chargeCustomer`. */
  readonly camel: string;
  /** `undoChargeCustomer`: its compensation. */
  readonly undo: string;
}

/** Leaves room for the longest suffix that a template or a rebuild adds to a table's name. */
const maxNameCharacters = 40;
const maxEventCharacters = 100;

/** File names that Windows reserves, with any extension. */
const deviceName = /^(con|prn|aux|nul|com\d|lpt\d)$/;

const reservedWords: ReadonlySet<string> = new Set(
  `arguments await break case catch class const continue debugger default delete do else enum eval export extends false
   finally for function if implements import in instanceof interface let new null package private protected public
   return static super switch this throw true try typeof undefined var void while with yield
   addOne addRow addWords assert beforeEach database decide evstore expect first fs given globals history join lastSeen
   listTexts listWords mkdtempSync module nodeTest openFile os outcome path projection putAll require saga say search
   searchable setName sql test testing tmpdir touch trigger`.split(/\s+/),
);

/**
 * `OrderSummary`, `orderSummary`, `order_summary` and `order-summary` are the same name.
 * @throws E_USAGE for anything that is not a plain name: paths, quotes, reserved words, names that Windows reserves
 */
export function spellName(name: string): Spellings {
  if (!isPlainName(name)) {
    throw wrongName(name, 'A name is letters and digits, with - or _ between words, and begins with a letter.');
  }
  if (name.length > maxNameCharacters) throw wrongName(name, `A name has at most ${maxNameCharacters} characters.`);
  const snake = toSnakeCase(name);
  const parts = snake.split('_');
  const camel = toCamelCase(parts);
  if (deviceName.test(snake)) throw wrongName(name, 'Windows keeps this name for a device.');
  if (reservedWords.has(camel)) throw wrongName(name, 'TypeScript or the generated test uses this word already.');
  if (!isTableName(snake)) throw wrongName(name, 'It would be a table that belongs to evstore or to the engine.');
  return { kebab: parts.join('-'), camel, snake, words: parts.join(' ') };
}

/**
 * Returns the steps of `--steps a,b,c`.
 * @throws E_USAGE for a step that is not a plain name
 */
export function parseSteps(text: string): readonly string[] {
  const steps = text.split(',').map((step) => step.trim());
  for (const step of steps) {
    if (isPlainName(step) && step.length <= maxNameCharacters) continue;
    throw new EvstoreError('E_USAGE', `${JSON.stringify(step.slice(0, 60))} cannot be the name of a step`, {
      why: `A step is letters and digits, with - or _ between words, begins with a letter, and has at most ${maxNameCharacters} characters.`,
    });
  }
  return steps;
}

export function spellStep(step: string): StepSpellings {
  const parts = toSnakeCase(step).split('_');
  return { kebab: parts.join('-'), camel: toCamelCase(parts), undo: `undo${parts.map(capitalise).join('')}` };
}

/**
 * Returns the event types of `--events A,B`, without duplicates.
 * @throws E_USAGE for a type that is not a plain name
 */
export function parseEventTypes(text: string): readonly string[] {
  const types = [...new Set(text.split(',').map((type) => type.trim()))];
  for (const type of types) {
    if (isPlainEventType(type)) continue;
    throw new EvstoreError('E_USAGE', `cannot generate code for the event type ${JSON.stringify(type.slice(0, 60))}`, {
      why: `In generated code an event type has letters, digits, _, . and -, starts with a letter, and has at most ${maxEventCharacters} characters.`,
    });
  }
  return types;
}

/** Returns whether generated code can contain the type as it is. */
export function isPlainEventType(type: string): boolean {
  return type.length <= maxEventCharacters && /^[A-Za-z][A-Za-z0-9_.-]*$/.test(type);
}

/** `OrderPlaced` and `order.placed` → `orderPlaced`: the column of an event type. */
export function columnProperty(type: string): string {
  return toCamelCase(toSnakeCase(type).split('_'));
}

/** `permit_review` → `PermitReview`. */
export function pascalCase(snake: string): string {
  return snake.split('_').map(capitalise).join('');
}

/**
 * Returns a category for sample streams of these types: the words that all of them begin with, without the last word, which
 * says what happened. `PermitFiled` and `PermitGranted` → `Permit`. Undefined when there is none.
 */
export function guessCategory(types: readonly string[]): string | undefined {
  const [first = [], ...others] = types.map((type) =>
    toSnakeCase(type)
      .replace(/[^a-z0-9]+/g, '_')
      .split('_'),
  );
  let words = first.slice(0, -1);
  for (const other of others) {
    const end = words.findIndex((word, at) => at >= other.length - 1 || other[at] !== word);
    if (end !== -1) words = words.slice(0, end);
  }
  const category = words.map(capitalise).join('');
  return isPlainCategory(category) ? category : undefined;
}

/** Returns whether sample streams can be named by it as it is. */
export function isPlainCategory(category: string): boolean {
  return /^[^\s'"\\`$\p{C}-]{1,60}$/u.test(category);
}

function isPlainName(name: string): boolean {
  return /^[A-Za-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9]+)*$/.test(name);
}

function toCamelCase(parts: readonly string[]): string {
  return parts.map((part, index) => (index === 0 ? part : capitalise(part))).join('');
}

export function capitalise(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

export function wrongName(name: string, why: string): EvstoreError {
  return new EvstoreError('E_USAGE', `${JSON.stringify(name.slice(0, 60))} cannot be the name of generated code`, {
    why,
    next: 'evstore scaffold projection order-summary',
  });
}

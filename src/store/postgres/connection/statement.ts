/**
 * A statement as a query of node-postgres. Its rows are the raw text of the wire: the server does not describe them, and
 * the driver does not parse them.
 */
import type { Connection, Submittable } from 'pg';
import type { Parameter, RawRow } from './values.js';

/** The part of the driver's connection used here; the driver's own types lack half of it. */
interface Wire {
  readonly stream: { cork(): void; uncork(): void };
  /** The texts of kept statements by their names on this connection. */
  readonly parsedStatements: Readonly<Record<string, string>>;
  query(text: string): void;
  parse(statement: { readonly name: string; readonly text: string }): void;
  bind(values: { readonly statement: string; readonly values: readonly (string | null)[] }): void;
  execute(portal: Record<never, never>): void;
  sync(): void;
}

export interface StatementOptions {
  /** A statement without parameters to run first, in the same message and transaction. Its rows are dropped. */
  readonly before?: string;
  /** The name under which the server keeps the statement; the driver reads this property. */
  readonly name?: string | undefined;
  readonly timeoutMs?: number | undefined;
}

export class Statement implements Submittable {
  readonly text: string;
  readonly values: readonly (string | null)[];
  readonly name: string;
  /** In milliseconds; the driver enforces it. */
  readonly query_timeout: number | undefined;
  /** Called once; the driver wraps it. */
  callback: (error: unknown) => void = () => {};
  /** Resolves when all rows have arrived. */
  readonly rows: Promise<readonly RawRow[]>;
  readonly #rows: RawRow[] = [];
  #before: StatementOptions['before'];

  constructor(text: string, parameters: readonly Parameter[], { before, name = '', timeoutMs }: StatementOptions = {}) {
    this.#before = before;
    this.text = text;
    this.name = name;
    this.query_timeout = timeoutMs;
    this.values = parameters.map(toText);
    this.rows = new Promise((resolve, reject) => {
      this.callback = (error) => (error === null ? resolve(this.#rows) : reject(error));
    });
  }

  submit(connection: Connection): void {
    const wire = connection as unknown as Wire;
    const { text, name } = this;
    if (this.values.length === 0 && name === '' && this.#before === undefined) {
      wire.query(text);
      return;
    }
    wire.stream.cork();
    try {
      if (this.#before !== undefined) {
        wire.parse({ name: '', text: this.#before });
        wire.bind({ statement: '', values: [] });
        wire.execute({});
      }
      if (name === '' || wire.parsedStatements[name] !== text) wire.parse({ name, text });
      wire.bind({ statement: name, values: this.values });
      wire.execute({});
      wire.sync();
    } finally {
      wire.stream.uncork();
    }
  }

  handleDataRow({ fields }: { readonly fields: RawRow }): void {
    if (this.#before === undefined) this.#rows.push(fields);
  }

  handleReadyForQuery(): void {
    this.callback(null);
  }

  handleError(error: unknown): void {
    this.callback(error);
  }

  handleRowDescription(): void {}

  handleCommandComplete(): void {
    this.#before = undefined;
  }

  handleEmptyQuery(): void {}
}

function toText(value: Parameter): string | null {
  if (value === null || typeof value === 'string') return value;
  return Array.isArray(value) ? arrayText(value) : String(value);
}

function arrayText(values: readonly (string | number | boolean | null)[]): string {
  let text = '';
  for (const value of values) {
    if (text !== '') text += ',';
    if (value === null) text += 'NULL';
    else text += typeof value === 'string' ? quoted(value) : String(value);
  }
  return `{${text}}`;
}

/** Payloads are full of quotes, and one expression for both characters would take twice as long. */
function quoted(value: string): string {
  const escaped = value.includes('\\') ? value.replaceAll('\\', '\\\\') : value;
  return `"${escaped.replaceAll('"', '\\"')}"`;
}

/**
 * Converts rows between the table and a handler. Both ways are compiled for each table, because each event of a replay needs
 * them: a property named in the code takes a tenth of the time of one named by a variable, and an object literal has room
 * for all columns at once.
 */
import type { StoredRow, StoredValue } from '../../domain/read-model.js';

/** A row as handlers know it. */
export type RowValue = Readonly<Record<string, unknown>>;

export interface CodecColumn {
  /** As code spells it. */
  readonly property: string;
  /** As the table spells it. */
  readonly name: string;
  /** A value that equals the stored one is stored unchanged. */
  readonly isStoredAsIs: boolean;
  /** Handlers read the stored value unchanged; if not, `load` converts a text. */
  readonly isReadAsIs: boolean;
  /** @throws ColumnFault */
  readonly store: (value: unknown, key: StoredRow) => StoredValue;
  readonly load: (value: StoredValue) => unknown;
}

export interface RowCodec {
  /**
   * A new object each time, which the handler may keep or change. It inherits nothing, so `row[event.type]` finds no method
   * of objects where the event type is called `constructor`.
   */
  readonly load: (row: StoredRow) => RowValue;
  /**
   * Columns left out are null.
   * @param key columns of the row's key
   * @param before the row until now: a value that is the same there needs no check
   * @throws ColumnFault for a property that is no column, and whatever `store` of a column throws
   */
  readonly store: (value: RowValue, key: StoredRow, before: StoredRow | null) => StoredRow;
}

/**
 * Names are put into the code as literals, so any name is safe.
 * @param assertColumns throws for a property that is no column; called when there may be one
 */
export function compileRowCodec(columns: readonly CodecColumn[], assertColumns: (value: RowValue) => void): RowCodec {
  const loaded = columns.map(({ property, name, isReadAsIs }, at) => {
    const stored = `row[${literal(name)}]`;
    const loaded = `typeof ${stored} === 'string' ? columns[${at}].load(${stored}) : ${stored}`;
    return `this[${literal(property)}] = ${isReadAsIs ? stored : loaded};`;
  });
  const given = columns.map(
    ({ property }, at) => `const given${at} = ${read(property)}; if (given${at} !== undefined) found += 1;`,
  );
  const stored = columns.map(({ name }, at) => `${key(name)}: columns[${at}].store(given${at}, key)`);
  const kept = columns.map(({ name, isStoredAsIs }, at) => {
    const store = `columns[${at}].store(given${at}, key)`;
    const known = `before[${literal(name)}]`;
    return `${key(name)}: ${isStoredAsIs ? `given${at} === ${known} ? ${known} : ` : ''}${store}`;
  });
  const text = `function Row(row) { ${loaded.join(' ')} }
  Row.prototype = Object.create(null);
  return {
    load: (row) => new Row(row),
    store: (value, key, before) => {
      let found = 0;
      ${given.join('\n')}
      for (const _ in value) found -= 1;
      if (found < 0) assertColumns(value);
      return before === null ? { ${stored.join(', ')} } : { ${kept.join(', ')} };
    },
  };`;
  return new Function('columns', 'assertColumns', text)(columns, assertColumns) as RowCodec;
}

/** The value of a property that the handler returned: not the method of that name that every object inherits. */
function read(property: string): string {
  const value = `value[${literal(property)}]`;
  return property in Object.prototype ? `Object.hasOwn(value, ${literal(property)}) ? ${value} : undefined` : value;
}

function literal(name: string): string {
  return JSON.stringify(name);
}

/** A property in an object literal; without brackets, `__proto__` would set the prototype. */
function key(name: string): string {
  return name === '__proto__' ? `[${literal(name)}]` : literal(name);
}

/** A condition over events or rows, as written after `--where`. `!=` and `not in` are `not` of their opposite. */
export type Condition =
  | { readonly kind: 'and' | 'or'; readonly terms: readonly Condition[] }
  | { readonly kind: 'not'; readonly term: Condition }
  | { readonly kind: 'compare'; readonly place: Place; readonly operator: Operator; readonly value: Literal }
  | { readonly kind: 'in'; readonly place: Place; readonly values: readonly Literal[] }
  /** `%` stands for any characters, `_` for one; a backslash makes the next character ordinary. */
  | { readonly kind: 'like'; readonly place: Place; readonly pattern: string }
  | { readonly kind: 'exists'; readonly place: Place };

export type Operator = '=' | '<' | '<=' | '>' | '>=';

/** `data.items[0].price` is root `data` and path `['items', 0, 'price']`. */
export interface Place {
  readonly root: string;
  /** Keys of objects, and from 0 places in arrays. */
  readonly path: readonly (string | number)[];
}

/** A value of JSON, except objects and arrays. */
export type Literal =
  /** As written: numbers are decimals, and keep every digit. */
  | { readonly type: 'number'; readonly text: string }
  | { readonly type: 'string'; readonly text: string }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'null' };

/** What is at a place: nothing, a value, or an object or array, which only `exists` tells from nothing. */
export type Found = Literal | { readonly type: 'container' } | undefined;

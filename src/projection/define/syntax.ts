/**
 * Parses JavaScript and TypeScript into trees without types, comments, whitespace and parentheses: the same for a source
 * file and for what a compiler made of it, when it only took the types away.
 */

/** As ESTree and its extension for TypeScript have it. */
export interface Node {
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: each type of node has fields of its own.
  readonly [field: string]: any;
}

/** A word or a sign of the text. */
export interface Token {
  readonly label: string;
  readonly start: number;
  readonly end: number;
}

/** Parses TypeScript with its types, and tells the places of all words. Throws a SyntaxError for code that it cannot parse. */
export async function parseWithTypes(
  text: string,
): Promise<{ readonly tree: Node; readonly tokens: readonly Token[] }> {
  const { Parser } = await import('acorn');
  const { tsPlugin } = await import('@sveltejs/acorn-typescript');
  const tokens: Token[] = [];
  const tree = Parser.extend(tsPlugin()).parse(text, {
    ...{ ecmaVersion: 'latest', sourceType: 'module', locations: true },
    onToken: ({ type, start, end }) => void tokens.push({ label: type.label, start, end }),
  });
  return { tree, tokens };
}

/** Increase it when `print` or the packages that parse print the same code differently: a test notices. */
export const form = 1;

/** Throws a SyntaxError for code that it cannot parse. */
export async function parse(text: string, language: 'ts' | 'js'): Promise<Node> {
  const { Parser } = await import('acorn');
  const options = { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true } as const;
  if (language === 'js') return withoutTypes(Parser.parse(text, options));
  const { tsPlugin } = await import('@sveltejs/acorn-typescript');
  // The plugin fails without the places of lines.
  return withoutTypes(Parser.extend(tsPlugin()).parse(text, { ...options, locations: true }));
}

/** Returns the same text for the same code. */
export function print(node: Node): string {
  return JSON.stringify(toPlain(node));
}

const wrappers = new Set([
  'ParenthesizedExpression',
  'TSAsExpression',
  'TSInstantiationExpression',
  'TSNonNullExpression',
  'TSSatisfiesExpression',
  'TSTypeAssertion',
]);

const typesOnly = new Set([
  'TSAbstractMethodDefinition',
  'TSAbstractPropertyDefinition',
  'TSDeclareFunction',
  'TSDeclareMethod',
  'TSIndexSignature',
  'TSInterfaceDeclaration',
  'TSTypeAliasDeclaration',
]);

const typeFields = new Set([
  'abstract',
  'accessibility',
  'declare',
  'definite',
  'exportKind',
  'implements',
  'importKind',
  'override',
  'readonly',
  'returnType',
  'superTypeArguments',
  'superTypeParameters',
  'typeAnnotation',
  'typeArguments',
  'typeParameters',
]);

function withoutTypes(node: Node): Node {
  if (wrappers.has(node.type)) return withoutTypes(node.expression);
  // The scopes of their names are not analysed.
  if (node.decorators?.length > 0) throw new SyntaxError('decorators are not followed');
  const fields: Record<string, unknown> = { type: node.type, range: [node.start, node.end] };
  for (const [field, value] of Object.entries(node)) {
    if (typeFields.has(field) || field === 'loc') continue;
    // `a?.b` is one thing, a parameter or property `a?` another.
    if (field === 'optional' && node.type !== 'MemberExpression' && node.type !== 'CallExpression') continue;
    if (Array.isArray(value)) fields[field] = value.flatMap((each) => (isType(each) ? [] : [convert(each)]));
    else fields[field] = convert(value);
  }
  return fields as unknown as Node;
}

function convert(value: unknown): unknown {
  return isNode(value) ? withoutTypes(value) : value;
}

function isType(value: unknown): boolean {
  if (!isNode(value)) return false;
  const { type, declare, importKind, exportKind, declaration } = value;
  if (typesOnly.has(type) || declare === true || importKind === 'type' || exportKind === 'type') return true;
  // An overload of a method or a constructor.
  if (type === 'MethodDefinition' && !value.value?.body) return true;
  return type.startsWith('Export') && isType(declaration);
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

/** `{ a }` is `{ a: a }`. */
const leftOut = new Set(['start', 'end', 'loc', 'range', 'type', 'raw', 'value', 'shorthand']);

function toPlain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toPlain);
  if (!isNode(value)) return typeof value === 'bigint' ? String(value) : value;
  if (value.type === 'Literal') return [typeof value.value, value.regex ?? value.bigint ?? String(value.value)];
  if (value.type === 'TemplateElement') return ['template', value.value.raw];
  const fields: Record<string, unknown> = { type: value.type };
  for (const field of Object.keys(value).sort()) {
    const content = value[field];
    const isLeftOut = leftOut.has(field) && !(field === 'value' && isNode(content));
    if (isLeftOut || content === undefined || content === null || content === false) continue;
    if (Array.isArray(content) && content.length === 0) continue;
    // `{ a: 1 }` is `{ 'a': 1 }`.
    const isName = field === 'key' && value.computed !== true && content.type === 'Identifier';
    fields[field] = isName ? ['string', content.name] : toPlain(content);
  }
  return fields;
}

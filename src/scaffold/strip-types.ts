/** Takes the types away from generated code: what is left is JavaScript, with its comments and lines. */
import { type Node, parseWithTypes } from '../projection/define/syntax.js';
import { applyEdits, type Edit, visit } from './edits.js';

/** Are nothing but types. */
const typesOnly = new Set(['TSTypeAnnotation', 'TSTypeParameterInstantiation', 'TSTypeParameterDeclaration']);
const declarations = new Set(['TSInterfaceDeclaration', 'TSTypeAliasDeclaration']);
/** An expression, then a type. */
const wrappers = new Set(['TSAsExpression', 'TSSatisfiesExpression', 'TSNonNullExpression']);

export async function stripTypes(text: string): Promise<string> {
  const { tree } = await parseWithTypes(text);
  const edits: Edit[] = [];
  visit(tree, (node) => {
    const { type, start, end } = node;
    if (typesOnly.has(type) && !isArrow(text, node)) edits.push({ start, end, text: '' });
    else if (declarations.has(type) || (type === 'ImportDeclaration' && node.importKind === 'type')) {
      edits.push({ ...withComment(text, start, end), text: '' });
    } else if (type === 'ImportDeclaration') {
      const values = (node.specifiers as Node[]).filter(({ importKind }) => importKind !== 'type');
      if (values.length < node.specifiers.length) edits.push({ start, end, text: writeImport(text, node, values) });
    } else if (wrappers.has(type)) edits.push({ start: node.expression.end, end, text: '' });
  });
  return applyEdits(text, edits);
}

/** The type after the arrow of a function type: it is inside of another type. */
function isArrow(text: string, { start }: Node): boolean {
  return text.startsWith('=>', start);
}

function writeImport(text: string, node: Node, values: readonly Node[]): string {
  const written = (each: Node) => text.slice(each.start, each.end);
  const named = values.filter(({ type }) => type === 'ImportSpecifier').map(written);
  const others = values.filter(({ type }) => type !== 'ImportSpecifier').map(written);
  const names = [...others, ...(named.length === 0 ? [] : [`{ ${named.join(', ')} }`])];
  return `import ${names.join(', ')} from ${written(node.source)};`;
}

/** The lines of a declaration, with the comment in front of it and one empty line. */
function withComment(text: string, start: number, end: number): { readonly start: number; readonly end: number } {
  const [comment = ''] = /(?:^|\n)\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n$/.exec(text.slice(0, start)) ?? [];
  // The first comment is that of the file.
  const isOfFile = comment.length === start;
  const [after = ''] = /^\n\n?/.exec(text.slice(end)) ?? [];
  const from = isOfFile ? start : start - comment.replace(/^\n/, '').length;
  return { start: from, end: end + after.length };
}

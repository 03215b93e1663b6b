/** Cuts a module into its top-level statements, and finds what each declares and uses. */
import { isNode, type Node, parse, print } from './syntax.js';

export interface SourceModule {
  readonly file: string;
  readonly language: 'ts' | 'js';
  readonly units: readonly Unit[];
  /** By local name. */
  readonly imports: ReadonlyMap<string, Imported>;
  readonly exports: ReadonlyMap<string, { readonly local: string } | Imported>;
  /** The modules of `export * from`. */
  readonly stars: readonly string[];
}

/** A declaration, or a statement at the top level that does something. */
export interface Unit {
  readonly text: string;
  readonly declares: readonly string[];
  /** Names of the top level that it reads or writes. */
  readonly uses: ReadonlySet<string>;
  readonly writes: ReadonlySet<string>;
}

/** @property name `*` for the module with all its exports */
export interface Imported {
  readonly specifier: string;
  readonly name: string;
}

/** The local name of a default export that has none of its own. */
const nameless = '*default*';

/** Properties of a definition that make no rows. */
const apartOfRows = new Set(['validate']);
const apartOfExternal = new Set(['count', 'drop', 'promote', 'validate']);

interface Draft {
  readonly node: Node;
  /** Parts of it that do not count. */
  readonly apart: readonly Node[];
  readonly declares: string[];
  readonly uses: Set<string>;
  readonly writes: Set<string>;
}

/** Throws a SyntaxError for code that it cannot parse. */
export async function readModule(file: string, text: string, language: 'ts' | 'js'): Promise<SourceModule> {
  const program = await parse(text, language);
  const drafts: Draft[] = [];
  const imports = new Map<string, Imported>();
  const exports = new Map<string, { local: string } | Imported>();
  const stars: string[] = [];

  const declare = (node: Node, extra: readonly string[] = []): readonly string[] => {
    const parts =
      node.type === 'VariableDeclaration'
        ? node.declarations.map((each: Node) => ({ ...node, declarations: [each], range: each.range }))
        : [node];
    return parts.flatMap((each: Node) => {
      const declares = [...declaredBy(each), ...extra];
      drafts.push({ ...setApart(each), declares, uses: new Set(), writes: new Set() });
      return declares;
    });
  };

  for (const node of program.body as readonly Node[]) {
    const specifier: string | undefined = node.source?.value;
    if (node.type === 'ImportDeclaration') {
      for (const each of node.specifiers) {
        imports.set(each.local.name, { specifier: `${specifier}`, name: importedBy(each) });
      }
    } else if (node.type === 'ExportAllDeclaration') {
      if (isNode(node.exported)) exports.set(nameOf(node.exported), { specifier: `${specifier}`, name: '*' });
      else stars.push(`${specifier}`);
    } else if (node.type === 'ExportNamedDeclaration') {
      if (isNode(node.declaration)) {
        for (const local of declare(node.declaration)) exports.set(local, { local });
      }
      for (const { local, exported } of node.specifiers) {
        const name = nameOf(local);
        exports.set(nameOf(exported), specifier === undefined ? { local: name } : { specifier, name });
      }
    } else if (node.type === 'ExportDefaultDeclaration') {
      const { declaration } = node;
      if (declaration.type === 'Identifier') exports.set('default', { local: declaration.name });
      else {
        declare(declaration, [nameless]);
        exports.set('default', { local: nameless });
      }
    } else if (node.type === 'TSImportEqualsDeclaration') {
      throw new SyntaxError(`${file} imports a module in a way that is not followed`);
    } else declare(node);
  }
  await findUses(program, drafts);
  const units = drafts.map(({ node, declares, uses, writes }) => ({ text: print(node), declares, uses, writes }));
  return { file, language, units, imports, exports, stars };
}

async function findUses(program: Node, drafts: readonly Draft[]): Promise<void> {
  const { analyze } = await import('eslint-scope');
  const { scopes } = analyze(program as never, { ecmaVersion: 2022, sourceType: 'module', fallback: 'iteration' });
  for (const reference of scopes.flatMap((scope) => scope.references)) {
    const { identifier, resolved } = reference;
    if (resolved !== null && resolved.scope.type !== 'module') continue;
    const [start = 0] = identifier.range ?? [];
    const draft = drafts.find(({ node }) => holds(node, start));
    if (draft === undefined || draft.apart.some((node) => holds(node, start))) continue;
    draft.uses.add(identifier.name);
    if (reference.isWrite()) draft.writes.add(identifier.name);
  }
}

function declaredBy(node: Node): readonly string[] {
  if (node.type === 'VariableDeclaration') return node.declarations.flatMap(({ id }: { id: Node }) => namesIn(id));
  const isDeclaration = /Declaration$/.test(node.type) && isNode(node.id);
  return isDeclaration ? [nameOf(node.id)] : [];
}

function namesIn(pattern: Node | null): readonly string[] {
  switch (pattern?.type) {
    case 'Identifier':
      return [pattern.name];
    case 'ObjectPattern':
      return pattern.properties.flatMap((each: Node) => namesIn(each.type === 'Property' ? each.value : each.argument));
    case 'ArrayPattern':
      return pattern.elements.flatMap(namesIn);
    case 'AssignmentPattern':
      return namesIn(pattern.left);
    case 'RestElement':
      return namesIn(pattern.argument);
    default:
      return [];
  }
}

function importedBy(specifier: Node): string {
  if (specifier.type === 'ImportNamespaceSpecifier') return '*';
  return specifier.type === 'ImportDefaultSpecifier' ? 'default' : nameOf(specifier.imported);
}

/** A name may be written as a string. */
function nameOf(node: Node): string {
  return node.type === 'Literal' ? String(node.value) : node.name;
}

/** Takes out of a definition what makes no rows. */
function setApart(node: Node): Pick<Draft, 'node' | 'apart'> {
  const definition = definitionIn(node);
  if (definition === undefined) return { node, apart: [] };
  const names = keysOf(definition).includes('write') ? apartOfExternal : apartOfRows;
  const left: readonly Node[] = definition.properties.filter((each: Node) => names.has(keyOf(each)));
  const properties = definition.properties.filter((each: Node) => !left.includes(each));
  const replace = (each: unknown): unknown => {
    if (each === definition) return { ...definition, properties };
    if (Array.isArray(each)) return each.map(replace);
    if (!isNode(each)) return each;
    return Object.fromEntries(Object.entries(each).map(([field, value]) => [field, replace(value)]));
  };
  return { node: replace(node) as Node, apart: left };
}

function holds({ range: [from, to] }: Node, place: number): boolean {
  return place >= from && place < to;
}

/** Returns the definition of a projection that a statement exports or gives a name, alone or in a call. */
function definitionIn(node: Node): Node | undefined {
  const value = node.type === 'VariableDeclaration' ? node.declarations[0].init : node;
  const object: Node | undefined = value?.type === 'CallExpression' ? value.arguments[0] : value;
  if (object?.type !== 'ObjectExpression') return undefined;
  const keys = keysOf(object);
  const isDefinition = keys.includes('name') && keys.includes('version');
  return isDefinition && (keys.includes('on') || keys.includes('write')) ? object : undefined;
}

function keysOf(object: Node): readonly string[] {
  return object.properties.map(keyOf);
}

/** Returns an empty text for a key that is computed, and for a spread. */
function keyOf({ key, computed }: Node): string {
  return isNode(key) && computed !== true ? nameOf(key) : '';
}

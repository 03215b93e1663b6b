/** How a project writes its code: what generated code follows. */

export type TestRunner = 'vitest' | 'jest' | 'node:test';

export interface CodeStyle {
  readonly language: 'typescript' | 'javascript';
  /**
   * `import`: ES modules, and TypeScript that is compiled to CommonJS. `require`: JavaScript in CommonJS, and TypeScript
   * with `verbatimModuleSyntax`, which then refuses `import` and `export default`.
   */
  readonly modules: 'import' | 'require';
  /** Of the generated files. */
  readonly extension: 'ts' | 'mts' | 'js' | 'mjs';
  /** Of relative imports; empty where the project leaves it out. */
  readonly importExtension: '' | '.js' | '.mjs' | '.ts' | '.mts';
  readonly testRunner: TestRunner;
  /** `test` and `expect` of jest are global and typed: nothing is imported. */
  readonly hasGlobals: boolean;
  /** `data['total']`: the compiler refuses `data.total`, because no type declares it. */
  readonly usesBrackets: boolean;
  readonly format: Format;
}

export interface Format {
  /** One level. */
  readonly indent: string;
  readonly quote: "'" | '"';
  readonly semicolons: boolean;
}

/** That of the templates. */
export const templateStyle: CodeStyle = {
  language: 'typescript',
  modules: 'import',
  extension: 'ts',
  importExtension: '.js',
  testRunner: 'vitest',
  hasGlobals: false,
  usesBrackets: false,
  format: { indent: '  ', quote: "'", semicolons: true },
};

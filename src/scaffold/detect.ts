/**
 * Finds out how a project writes its code, from package.json, tsconfig.json and the config of its formatter. Reads no code
 * and runs none.
 */
import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { getTsconfig, type TsConfigJson } from 'get-tsconfig';
import { detectFormat } from './format.js';
import { isObject, readJsonFile } from './json-file.js';
import { type CodeStyle, type TestRunner, templateStyle } from './style.js';

export interface Project {
  readonly style: CodeStyle;
  /** What was found, in a few words each. */
  readonly found: readonly string[];
  /** The files that say so, relative to the folder. */
  readonly from: readonly string[];
  /** What cannot be read, or is missing. */
  readonly doubts: readonly string[];
  /** How to run a test file. */
  readonly runTest: string;
}

interface Manifest {
  readonly isModule: boolean;
  readonly packages: ReadonlySet<string>;
  readonly testScript: string;
}

type CompilerOptions = NonNullable<TsConfigJson['compilerOptions']>;

/** @param folder absolute, of the generated files; it need not exist */
export function detectProject(folder: string): Project {
  const doubts: string[] = [];
  const manifestFile = findUp(folder, ['package.json']);
  const manifest = readManifest(manifestFile, doubts);
  const compiler = readCompilerOptions(folder, doubts);
  const top = dirname(manifestFile ?? join(folder, 'package.json'));
  const formatter = detectFormat(folder, manifestFile, manifest?.packages ?? new Set(), doubts);
  const language = isJavaScript(manifest, compiler?.options, top) ? 'javascript' : 'typescript';
  const testRunner = detectRunner(manifest, doubts);
  const style = {
    language,
    testRunner,
    format: formatter.format,
    ...detectModules(language, testRunner, manifest, compiler?.options),
  } as const;
  const hasTypes = language === 'javascript' || manifest?.packages.has('@types/jest') === true;
  const files = [manifestFile, compiler?.file, formatter.file].filter((file) => file !== undefined);
  return {
    style: { ...style, hasGlobals: hasTypes && manifest?.packages.has('@jest/globals') !== true },
    found: [...describe(style), ...formatter.found],
    from: files.map((file) => relative(folder, file)),
    doubts,
    runTest: runTest(style, manifest),
  };
}

/** The nearest of these files, from the folder up to the root of the repository. */
function findUp(start: string, names: readonly string[]): string | undefined {
  for (let folder = start; ; folder = dirname(folder)) {
    const file = names.map((name) => join(folder, name)).find((each) => existsSync(each));
    if (file !== undefined) return file;
    if (existsSync(join(folder, '.git')) || folder === dirname(folder)) return undefined;
  }
}

function readManifest(file: string | undefined, doubts: string[]): Manifest | undefined {
  if (file === undefined) return undefined;
  const manifest = readJsonFile(file);
  if (!isObject(manifest)) {
    doubts.push(`${file} is not JSON`);
    return undefined;
  }
  const lists = ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies'];
  const packages = lists.flatMap((list) => (isObject(manifest[list]) ? Object.keys(manifest[list]) : []));
  const { scripts } = manifest;
  const testScript = isObject(scripts) && typeof scripts.test === 'string' ? scripts.test : '';
  return { isModule: manifest.type === 'module', packages: new Set(packages), testScript };
}

function readCompilerOptions(
  folder: string,
  doubts: string[],
): { readonly file: string; readonly options: CompilerOptions } | undefined {
  try {
    const file = findUp(folder, ['tsconfig.json']);
    const found = file === undefined ? null : getTsconfig(dirname(file));
    return found === null ? undefined : { file: found.path, options: found.config.compilerOptions ?? {} };
  } catch (error) {
    doubts.push(`tsconfig.json cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

/** Only where there is a project, and nothing in it is about TypeScript. */
function isJavaScript(manifest: Manifest | undefined, options: CompilerOptions | undefined, top: string): boolean {
  if (manifest === undefined || options !== undefined) return false;
  if (['typescript', 'tsx', 'ts-node', 'ts-jest', '@swc/jest', 'jiti'].some((name) => manifest.packages.has(name)))
    return false;
  return !['evstore.config.ts', 'evstore.config.mts'].some((name) => existsSync(join(top, name)));
}

function detectRunner(manifest: Manifest | undefined, doubts: string[]): TestRunner {
  if (manifest === undefined) return templateStyle.testRunner;
  const { packages, testScript } = manifest;
  if (packages.has('vitest')) return 'vitest';
  if (['jest', 'ts-jest', '@jest/globals', '@types/jest'].some((name) => packages.has(name))) return 'jest';
  if (/\b(?:node|tsx)\b.* --test\b/.test(testScript)) return 'node:test';
  doubts.push('package.json has no vitest, jest or node --test: the test is for vitest');
  return templateStyle.testRunner;
}

type Modules = Pick<CodeStyle, 'modules' | 'extension' | 'importExtension' | 'usesBrackets'>;

function detectModules(
  language: CodeStyle['language'],
  runner: TestRunner,
  manifest: Manifest | undefined,
  options: CompilerOptions | undefined,
): Modules {
  if (language === 'javascript') {
    const common = { usesBrackets: false } as const;
    if (manifest?.isModule === true) {
      return { ...common, modules: 'import', extension: 'js', importExtension: '.js' };
    }
    // `require` cannot load vitest.
    if (runner === 'vitest') return { ...common, modules: 'import', extension: 'mjs', importExtension: '.mjs' };
    return { ...common, modules: 'require', extension: 'js', importExtension: '' };
  }
  if (options === undefined) {
    const { modules, extension, importExtension, usesBrackets } = templateStyle;
    return { modules, extension, importExtension, usesBrackets };
  }
  const module = String(options.module ?? 'esnext').toLowerCase();
  const followsNode = /^node(?:next|\d+)$/.test(module);
  const isCommonJs = followsNode ? manifest?.isModule !== true : module === 'commonjs';
  const isStrict = isCommonJs && options.verbatimModuleSyntax === true;
  const keepsExtension =
    options.rewriteRelativeImportExtensions === true || options.allowImportingTsExtensions === true;
  const usesBrackets = options.noPropertyAccessFromIndexSignature === true;
  if (isStrict && runner === 'vitest') {
    const importExtension = keepsExtension ? '.mts' : '.mjs';
    return { modules: 'import', extension: 'mts', importExtension, usesBrackets };
  }
  const written = followsNode && !isCommonJs ? '.js' : '';
  return {
    modules: isStrict ? 'require' : 'import',
    extension: 'ts',
    importExtension: keepsExtension ? '.ts' : written,
    usesBrackets,
  };
}

function describe({ language, modules, extension, testRunner }: Omit<CodeStyle, 'hasGlobals'>): readonly string[] {
  const name = language === 'javascript' ? 'JavaScript' : 'TypeScript';
  return [
    `${name} (.${extension})`,
    modules === 'require' ? 'modules with require' : 'modules with import',
    testRunner,
  ];
}

function runTest({ testRunner, language }: Omit<CodeStyle, 'hasGlobals'>, manifest: Manifest | undefined): string {
  if (testRunner === 'vitest') return 'npx vitest run';
  if (testRunner === 'jest') return 'npx jest';
  if (language === 'javascript') return 'node --test';
  return manifest?.packages.has('tsx') === true ? 'node --import tsx --test' : 'npx tsx --test';
}

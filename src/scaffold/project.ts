/** Reads from the user's package.json what generated code depends on. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EvstoreError } from '../domain/errors.js';
import type { TestRunner } from './style.js';

export type ModuleTestRunner = Exclude<TestRunner, 'jest'>;

export interface ModuleProject {
  readonly testRunner: ModuleTestRunner;
  /** The packages in `dependencies` and `devDependencies`. */
  readonly packages: ReadonlySet<string>;
}

/** What a generated Temporal project needs. */
export const temporalPackages = {
  run: [
    'evstore',
    '@temporalio/activity',
    '@temporalio/client',
    '@temporalio/common',
    '@temporalio/worker',
    '@temporalio/workflow',
  ],
  development: ['@temporalio/proto', '@temporalio/testing', '@types/node', 'tsx', 'typescript'],
} as const;

/** Returns whether `@temporalio/worker`, which is native code, may have a build for this system: there is none for musl. */
export function runsTemporalWorkers(): boolean {
  if (process.platform !== 'linux') return true;
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime !== undefined;
}

interface Manifest {
  readonly type?: unknown;
  readonly dependencies?: Readonly<Record<string, unknown>>;
  readonly devDependencies?: Readonly<Record<string, unknown>>;
}

const otherTestRunners = ['jest', 'mocha', 'ava', 'jasmine', 'tap'];

/**
 * Reads the project of code that is generated only as ES modules, with tests for vitest or node:test.
 * @param folder absolute; the project is that of the nearest package.json there or above
 * @throws E_USAGE for any other project
 */
export function readModuleProject(folder: string): ModuleProject {
  const file = findManifest(folder);
  if (file === undefined) {
    throw new EvstoreError('E_USAGE', 'there is no package.json in this folder or above', {
      why: 'This kind of code is a set of ES modules, so it needs a package.json with "type": "module".',
      next: 'npm init --yes --init-type module',
    });
  }
  const { type, dependencies, devDependencies } = readManifest(file);
  if (type !== 'module') {
    throw new EvstoreError('E_USAGE', `${file} has no "type": "module"`, {
      why: 'This kind of code is generated as ES modules only, not as CommonJS.',
      next: 'npm pkg set type=module',
    });
  }
  const packages = new Set(Object.keys({ ...dependencies, ...devDependencies }));
  if (packages.has('vitest')) return { testRunner: 'vitest', packages };
  const other = otherTestRunners.find((name) => packages.has(name));
  if (other === undefined) return { testRunner: 'node:test', packages };
  throw new EvstoreError('E_USAGE', `this kind of code has no tests for ${other}`, {
    why: 'Its tests are generated for vitest, or for node:test if the project has no other test runner.',
    next: 'npm install --save-dev vitest',
  });
}

function findManifest(folder: string): string | undefined {
  const file = join(folder, 'package.json');
  if (existsSync(file)) return file;
  const parent = dirname(folder);
  return parent === folder ? undefined : findManifest(parent);
}

function readManifest(file: string): Manifest {
  try {
    const manifest: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return typeof manifest === 'object' && manifest !== null ? manifest : {};
  } catch (error) {
    throw new EvstoreError('E_USAGE', `cannot read ${file}`, {
      why: error instanceof Error ? `${error.message}.` : undefined,
      cause: error,
    });
  }
}

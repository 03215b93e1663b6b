/** Takes the place of `src/store/shared/start-thread.ts` under vitest: starts the same thread from compiled code. */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { compileProgram, root } from './compile.js';

export function startThread(module: string, from: string, workerData: unknown): Worker {
  return new Worker(compileProgram(relative(root, fileURLToPath(new URL(`${module}.ts`, from)))), { workerData });
}

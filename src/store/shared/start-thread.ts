/** Starts a thread from the sources or from the built program, whichever runs. */
import { Worker } from 'node:worker_threads';

/**
 * @param module without its ending: `.js` when installed, `.ts` under a test runner, with the module that compiles it
 * @param from the URL of the module that starts it
 */
export function startThread(module: string, from: string, workerData: unknown): Worker {
  if (!from.endsWith('.ts')) return new Worker(new URL(`${module}.js`, from), { workerData });
  const execArgv = ['--import', import.meta.resolve('jiti/register')];
  return new Worker(new URL(`${module}.ts`, from), { workerData, execArgv });
}

import { vi } from 'vitest';
import { setPatience, timeScale } from './wait.js';

const longLimitMs = 180_000 * timeScale;

/**
 * Raises the time limit of the cases and hooks of a file. Call it at the top of the file.
 * @param _reason why the usual limit does not do, for whoever reads the file
 */
export function allowMoreTime(_reason: string): void {
  vi.setConfig({ testTimeout: longLimitMs, hookTimeout: longLimitMs });
  setPatience(0.75 * longLimitMs);
}

/** Scratch stores of `bench` that a killed process left behind. */
import type { Finding } from '../domain/finding.js';
import { formatBytes } from '../domain/numbers.js';
import { defineCheck } from './check.js';

export const scratchCheck = defineCheck({
  name: 'scratch stores',
  purpose: 'no scratch store of a bench was left behind',
  needs: ['scratch'],
  judge: ({ scratch }) =>
    scratch
      .filter(({ isInUse }) => !isInUse)
      .map(
        ({ name, bytes }): Finding => ({
          kind: 'scratch-store',
          severity: 'note',
          subject: name,
          detail: `takes ${formatBytes(bytes)}: a bench that was killed left it behind`,
          next: 'evstore bench --clean',
        }),
      ),
});

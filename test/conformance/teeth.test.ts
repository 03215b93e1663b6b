/** The suites reject every broken store, on both engines; a suite that lets one through proves nothing. */
import { describe, expect, it } from 'vitest';
import { brokenStores } from '../support/broken-stores.js';
import { forEachEngine, withTestStore } from '../support/engines.js';
import { failureOf } from '../support/events.js';
import { appendSuite } from './append.suite.js';
import { auditSuite } from './audit.suite.js';
import { compareSuite } from './compare.suite.js';
import { dependentsSuite } from './dependents.suite.js';
import { hostileSuite } from './hostile.suite.js';
import { idIndexesSuite } from './id-indexes.suite.js';
import { importSuite } from './import.suite.js';
import { inlineSuite } from './inline.suite.js';
import { inlineSwapSuite } from './inline-swap.suite.js';
import { parkedSuite } from './parked.suite.js';
import { partsSuite } from './parts.suite.js';
import { projectionsSuite } from './projections.suite.js';
import { readSuite } from './read.suite.js';
import { rebuildSuite } from './rebuild.suite.js';
import { snapshotsSuite } from './snapshots.suite.js';

const suites = [
  appendSuite,
  readSuite,
  importSuite,
  idIndexesSuite,
  hostileSuite,
  projectionsSuite,
  partsSuite,
  rebuildSuite,
  dependentsSuite,
  auditSuite,
  compareSuite,
  inlineSuite,
  inlineSwapSuite,
  parkedSuite,
  snapshotsSuite,
];

describe('a store that', () => {
  for (const { name, wrap, rejectedBy } of brokenStores) {
    describe(name, () => {
      forEachEngine((engine) => {
        for (const [title, names] of Object.entries(rejectedBy)) {
          it.each(names)(`is rejected by ${title}: %s`, async (caseName) => {
            const run = suites.find((suite) => suite.title === title)?.cases[caseName];
            if (run === undefined) throw new Error(`no case ${title}: ${caseName}`);
            const failure = await failureOf(withTestStore(engine, run, { wrap }));
            expect(failure).toBeInstanceOf(Error);
          });
        }
      });
    });
  }
});

import { projectionsSuite } from './projections.suite.js';
import { rebuildSuite } from './rebuild.suite.js';
import { faultsPostgresSuite, schemaSuite } from './schema.suite.js';
import { describeSuite } from './suite.js';

describeSuite(schemaSuite);
describeSuite(faultsPostgresSuite);
describeSuite(projectionsSuite);
describeSuite(rebuildSuite);

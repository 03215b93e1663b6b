import { dependentsPostgresSuite, dependentsSqliteSuite, dependentsSuite } from './dependents.suite.js';
import { partsSuite } from './parts.suite.js';
import { placePostgresSuite, placeSqliteSuite, placeSuite } from './place.suite.js';
import { projectionsSuite } from './projections.suite.js';
import { rebuildSuite } from './rebuild.suite.js';
import { faultsPostgresSuite, schemaSuite } from './schema.suite.js';
import { describeSuite } from './suite.js';

describeSuite(schemaSuite);
describeSuite(faultsPostgresSuite);
describeSuite(projectionsSuite);
describeSuite(rebuildSuite);
describeSuite(dependentsSuite);
describeSuite(dependentsSqliteSuite);
describeSuite(dependentsPostgresSuite);
describeSuite(partsSuite);
describeSuite(placeSuite);
describeSuite(placePostgresSuite);
describeSuite(placeSqliteSuite);

import { integrityPostgresSuite, integritySuite } from './integrity.suite.js';
import { describeSuite } from './suite.js';

describeSuite(integritySuite);
describeSuite(integrityPostgresSuite);

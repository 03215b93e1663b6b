import { initSuite, processSuite } from './process.suite.js';
import { describeSuite } from './suite.js';

describeSuite(processSuite);
describeSuite(initSuite);

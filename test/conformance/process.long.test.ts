import { allowMoreTime } from '../support/more-time.js';
import { initSuite, processSuite } from './process.suite.js';
import { describeSuite } from './suite.js';

allowMoreTime('processes are started and killed, several times a case');

describeSuite(processSuite);
describeSuite(initSuite);

import { parkedSuite } from './parked.suite.js';
import { describeSuite } from './suite.js';

describeSuite(parkedSuite);

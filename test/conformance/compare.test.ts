import { compareSuite } from './compare.suite.js';
import { describeSuite } from './suite.js';

describeSuite(compareSuite);

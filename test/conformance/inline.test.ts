import { inlineSuite } from './inline.suite.js';
import { describeSuite } from './suite.js';

describeSuite(inlineSuite);

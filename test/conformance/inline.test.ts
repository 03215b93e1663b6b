import { inlineSuite } from './inline.suite.js';
import { inlineSwapSuite } from './inline-swap.suite.js';
import { describeSuite } from './suite.js';

describeSuite(inlineSuite);
describeSuite(inlineSwapSuite);

import { auditSuite } from './audit.suite.js';
import { describeSuite } from './suite.js';

describeSuite(auditSuite);

import { crashSuite, oneSnapshotSuite, orderStressSuite } from './concurrency.suite.js';
import { describeSuite } from './suite.js';

describeSuite(orderStressSuite);
describeSuite(oneSnapshotSuite);
describeSuite(crashSuite);

import { appendSuite } from './append.suite.js';
import { hostileSuite } from './hostile.suite.js';
import { importSuite } from './import.suite.js';
import { orderingSuite } from './ordering.suite.js';
import { rawWriterPostgresSuite, rawWriterSuite } from './raw-writer.suite.js';
import { readSuite } from './read.suite.js';
import { statisticsSuite } from './statistics.suite.js';
import { describeSuite } from './suite.js';
import { whereSuite } from './where.suite.js';

describeSuite(appendSuite);
describeSuite(readSuite);
describeSuite(importSuite);
describeSuite(hostileSuite);
describeSuite(rawWriterSuite);
describeSuite(rawWriterPostgresSuite);
describeSuite(orderingSuite);
describeSuite(whereSuite);
describeSuite(statisticsSuite);

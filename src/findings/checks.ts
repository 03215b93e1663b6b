/** All checks, as data, and which command runs which. */
import { type Check, defineCheck } from './check.js';
import { codeCheck, restCheck } from './code.js';
import { copiesCheck } from './copies.js';
import { cursorsCheck } from './cursors.js';
import { environmentChecks } from './environment.js';
import { guardsCheck } from './guards.js';
import { heldBackCheck } from './held-back.js';
import { idIndexesCheck } from './id-indexes.js';
import { movedCheck } from './moved.js';
import { orphansCheck } from './orphans.js';
import { parkedCheck } from './parked.js';
import { rebuildsCheck } from './rebuilds.js';
import { sagaRowsCheck, sagasCheck } from './sagas.js';
import { judgeSchema } from './schema.js';
import { scratchCheck } from './scratch.js';
import { foreignCheck, stoppedCheck } from './subscriptions.js';
import { unhandledCheck } from './unhandled.js';

const schemaCheck = defineCheck({
  name: 'schema',
  purpose: 'every migration is applied, as this evstore knows it',
  needs: ['schema'],
  judge: ({ schema }) => judgeSchema(schema),
});

/** What concerns readers of the log: `lag` and `wait`. */
export const readerChecks: readonly Check[] = [
  guardsCheck,
  heldBackCheck,
  stoppedCheck,
  cursorsCheck,
  movedCheck,
  codeCheck,
  restCheck,
  parkedCheck,
  rebuildsCheck,
  sagasCheck,
  foreignCheck,
];

/** What the rows of a projection suffer from, beyond the code and the rebuilds that `projections` lists itself. */
export const projectionChecks: readonly Check[] = [guardsCheck, stoppedCheck, cursorsCheck, movedCheck];

/** What `verify` says alongside what it reads in the log. */
export const integrityChecks: readonly Check[] = [
  guardsCheck,
  schemaCheck,
  heldBackCheck,
  movedCheck,
  parkedCheck,
  sagaRowsCheck,
];

/** `doctor`. */
export const allChecks: readonly Check[] = [
  copiesCheck,
  ...environmentChecks,
  schemaCheck,
  ...readerChecks,
  sagaRowsCheck,
  idIndexesCheck,
  orphansCheck,
  scratchCheck,
  unhandledCheck,
];

/** Five steps that do nothing: what is left is the work of the engine. */
import { defineSaga } from '../../dist/src/index.js';

const nothing = { action: () => {}, compensate: () => {} };

export default ['reserve', 'charge', 'pack', 'ship', 'tell'].reduce(
  (saga, name) => saga.step(name, nothing),
  defineSaga({ name: 'five_steps', version: 1, startOn: 'OrderPlaced' }),
);

/** A saga of two steps: the second append tells that the first one was recorded. */
import { defineSaga } from 'evstore';

export default defineSaga({ name: 'shipping', version: 1, startOn: 'OrderPaid' })
  .step('reserve', {
    action: ({ append, trigger }) => append(`Stock-${trigger.streamId}`, { type: 'StockReserved', data: {} }),
  })
  .step('ship', {
    action: ({ append, trigger }) => append(`Stock-${trigger.streamId}`, { type: 'StockSent', data: {} }),
  });

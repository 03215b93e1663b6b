/**
 * Order steps: runs its steps one after another. If a step fails, the saga undoes it and the steps before it, last first.
 *
 * A step may be repeated after a crash. `append` still writes its event only once. For another system, send
 * `idempotencyKey` with the request. A step that throws may have taken effect, so it is retried and then undone too, unless
 * it throws `NotApplied`. Each `startOn` event in the log starts an instance, even an old one. To ignore older events, set
 * `since`.
 */
import { defineSaga } from 'evstore';

export default defineSaga({ name: 'order_steps', version: 1, startOn: 'OrderPlaced' })
  .step('reserve-stock', {
    action: async ({ trigger, append }) => {
      await append(`ReserveStock-${trigger.streamId}`, { type: 'ReserveStockDone', data: {} });
    },
    compensate: async ({ trigger, append, reason }) => {
      await append(`ReserveStock-${trigger.streamId}`, { type: 'ReserveStockUndone', data: { reason } });
    },
  })
  .step('book-shipment', {
    action: async ({ trigger, append }) => {
      await append(`BookShipment-${trigger.streamId}`, { type: 'BookShipmentDone', data: {} });
    },
    compensate: async ({ trigger, append, reason }) => {
      await append(`BookShipment-${trigger.streamId}`, { type: 'BookShipmentUndone', data: { reason } });
    },
  });

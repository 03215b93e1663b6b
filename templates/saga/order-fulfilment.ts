/**
 * Order fulfilment: reserve stock, charge the customer, book a shipment. If a step fails, the saga undoes the steps before
 * it, last first.
 *
 * A step may be repeated after a crash. `append` still writes its event only once. For another system, send
 * `idempotencyKey` with the request. A step that throws may have taken effect, so it is retried and then undone too, unless
 * it throws `NotApplied`. Each `startOn` event in the log starts an instance, even an old one. To ignore older events, set
 * `since`.
 */
import { defineSaga, NotApplied } from 'evstore';

const creditLimit = 100_000;

export default defineSaga({ name: 'order_fulfilment', version: 1, startOn: 'CheckoutStarted' })
  .step('reserve-stock', {
    action: async ({ trigger, append }) => {
      await append(`Stock-${trigger.streamId}`, { type: 'StockReserved', data: { order: trigger.streamId } });
    },
    compensate: async ({ trigger, append, reason }) => {
      await append(`Stock-${trigger.streamId}`, { type: 'StockReleased', data: { order: trigger.streamId, reason } });
    },
  })
  .step('charge-customer', {
    action: async ({ trigger, append, record }) => {
      const amount: number = trigger.data.total ?? 0;
      if (amount > creditLimit) throw new NotApplied('over the credit limit', { final: true });
      // The compensation knows this amount even if the result of the charge is lost.
      await record({ amount });
      await append(`Payment-${trigger.streamId}`, { type: 'CustomerCharged', data: { amount } });
      return { amount };
    },
    compensate: async ({ trigger, append, recorded }) => {
      const { amount } = recorded;
      if (amount === undefined) return;
      await append(`Payment-${trigger.streamId}`, { type: 'CustomerRefunded', data: { amount } });
    },
  })
  .step('book-shipment', {
    timeout: '1m',
    action: async ({ trigger, append, results }) => {
      const paid = results['charge-customer'].amount;
      await append(`Shipment-${trigger.streamId}`, { type: 'ShipmentBooked', data: { paid } });
    },
  });

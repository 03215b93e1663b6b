/**
 * Order fulfilment: reserve stock, charge the customer, book a shipment. If a step fails, the saga undoes the steps before
 * it, last first.
 *
 * A step may be repeated after a crash. `append` still writes its event only once. For another system, send
 * `idempotencyKey` with the request. Each `startOn` event in the log starts an instance, even an old one. To ignore older
 * events, set `since`.
 */
import { defineSaga } from 'evstore';

const creditLimit = 100_000;

export default defineSaga({
  name: 'order_fulfilment',
  version: 1,
  startOn: 'OrderPlaced',
  steps: [
    {
      name: 'reserve-stock',
      action: async ({ trigger, append }) => {
        await append(`Stock-${trigger.streamId}`, { type: 'StockReserved', data: { order: trigger.streamId } });
      },
      compensate: async ({ trigger, append, reason }) => {
        await append(`Stock-${trigger.streamId}`, { type: 'StockReleased', data: { order: trigger.streamId, reason } });
      },
    },
    {
      name: 'charge-customer',
      retries: 0,
      action: async ({ trigger, append }) => {
        const amount = trigger.data.total ?? 0;
        if (amount > creditLimit) throw new Error('over the credit limit');
        await append(`Payment-${trigger.streamId}`, { type: 'CustomerCharged', data: { amount } });
        return { amount };
      },
      compensate: async ({ trigger, append, result }) => {
        const amount = result?.amount ?? 0;
        await append(`Payment-${trigger.streamId}`, { type: 'CustomerRefunded', data: { amount } });
      },
    },
    {
      name: 'book-shipment',
      timeout: '1m',
      action: async ({ trigger, append, results }) => {
        const paid = results['charge-customer'].amount;
        await append(`Shipment-${trigger.streamId}`, { type: 'ShipmentBooked', data: { paid } });
      },
    },
  ],
});

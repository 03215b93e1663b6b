/**
 * Order fulfilment: stock is reserved, the customer charged, a shipment booked. When a step fails, what was done before
 * it is undone, last first.
 *
 * A step may be repeated after a crash. What `append` writes is written once all the same; for another system, send
 * `idempotencyKey` along. Each `startOn` event in the log starts an instance, however old; `since` leaves older ones
 * alone.
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

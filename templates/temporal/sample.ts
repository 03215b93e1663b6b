/** What the tests are about. */
import type { Trigger } from './saga.js';

export const sample: Trigger = {
  eventId: '0199c0de-0000-7000-8000-000000000001',
  streamId: 'Order-1',
  type: 'OrderPlaced',
  globalPosition: 1,
  data: {
    customer: 'Ada',
    total: 4200,
  },
};

/** In order: the activities, and the path of each at the service. */
export const steps = [
  { step: 'reserveStock', undo: 'undoReserveStock', path: 'reserve-stock' },
  { step: 'chargeCustomer', undo: 'undoChargeCustomer', path: 'charge-customer' },
  { step: 'bookShipment', undo: 'undoBookShipment', path: 'book-shipment' },
] as const;

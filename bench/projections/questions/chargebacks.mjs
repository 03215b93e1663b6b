/** An instance for each chargeback; every other one cannot be refunded and is compensated. */
import { defineSaga } from '../../../dist/src/index.js';

export default defineSaga({
  name: 'chargebacks',
  version: 1,
  startOn: 'ChargebackReceived',
  steps: [
    {
      name: 'freeze',
      action: async ({ trigger, append }) => {
        await append(`Account-${trigger.streamId}`, { type: 'AccountFrozen', data: {} });
      },
      compensate: async ({ trigger, append }) => {
        await append(`Account-${trigger.streamId}`, { type: 'AccountReleased', data: {} });
      },
    },
    {
      name: 'refund',
      retries: 0,
      action: async ({ trigger, append }) => {
        if (trigger.data.amount % 2 === 1) throw new Error('the bank refused');
        await append(`Account-${trigger.streamId}`, { type: 'RefundSent', data: trigger.data });
      },
    },
  ],
});

/** A row for each payment. Two of its events cannot be handled. */
import { defineProjection } from '../../../dist/src/index.js';

export default defineProjection({
  name: 'payments',
  version: 1,
  category: 'Payment',
  table: { columns: { paymentId: 'text', status: 'text', amount: 'integer' }, key: 'paymentId' },
  on: {
    '*': (_row, { type, data }) => {
      if (data.amount === null) throw new Error('no amount was captured');
      return { status: type, amount: data.amount };
    },
  },
});

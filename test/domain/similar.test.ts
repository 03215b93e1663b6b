import { expect, test } from 'vitest';
import { findSimilar } from '../../src/domain/similar.js';

test.each([
  ['Ordr-17', ['Order-17', 'Order-18', 'Payment-17'], 'Order-17'],
  ['order-17', ['Order-17'], 'Order-17'],
  ['order_sumary', ['order_summary', 'orders'], 'order_summary'],
  ['shiping', ['shipping', 'shopping'], 'shipping'],
  ['E_HANDLRE', ['E_HANDLER', 'E_BUG'], 'E_HANDLER'],
  ['raed', ['read', 'run'], 'read'],
  ['typ', ['type', 'id'], 'type'],
  ['Zamówienie-Łódź-źdźbl', ['Zamówienie-Łódź-źdźbło'], 'Zamówienie-Łódź-źdźbło'],
  ['订单_sumary', ['订单_summary'], '订单_summary'],
])('%s is a typo: of %j, %s is meant', (name, known, meant) => {
  expect(findSimilar(name, known)).toBe(meant);
});

test.each([
  // Another number is another thing.
  ['Permit-0', ['Permit-10', 'Permit-5']],
  ['Order-43', ['Order-42']],
  ['sales_2025', ['sales_2024']],
  // Too little in common.
  ['a', ['b', 'ab']],
  ['订单', ['商品', '订-']],
  ['mail', ['rain', 'lag']],
  ['9f1c2b3a-aaaa-4bbb-8ccc-000000000001', ['9f1c2b3a-dddd-4eee-8fff-000000000001']],
  ['nothing-like-it', ['something-else']],
  // As near as each other.
  ['counts_c', ['counts_a', 'counts_b']],
  ['', ['read']],
  ['read', []],
])('%s is no typo of any of %j', (name, known) => {
  expect(findSimilar(name, known)).toBeUndefined();
});

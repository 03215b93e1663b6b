/** What the demo does, line by line: commands as a user would type them in its folder. */

export interface DemoStep {
  readonly purpose: string;
  /** Words are separated by single spaces; `'…'` keeps them together. */
  readonly lines: readonly string[];
  /** Lines of output shown. Default: all. */
  readonly show?: number;
}

export const demoSteps: readonly DemoStep[] = [
  { purpose: 'A store, and events in it.', lines: ['evstore init --no-config', 'evstore import shop.ndjson'] },
  {
    purpose: 'A projection: code, a test that passes, and its read model.',
    lines: ['evstore scaffold projection order-summary', 'evstore run --once'],
  },
  {
    purpose: 'Somebody appends; lag says how far the read model is behind.',
    lines: [
      'evstore append Order-801 --type OrderPlaced --data \'{"customer":"Ada","total":4200}\' --expected-version none --quiet',
      'evstore lag',
    ],
  },
  {
    purpose: 'A rebuild fills a second table beside the live one and swaps it in; the old one stays for a rollback.',
    lines: ['evstore rebuild order_summary --yes', 'evstore lag --max-lag 0'],
  },
  {
    purpose: 'A saga: one checkout goes through, one is over the credit limit and is undone.',
    lines: [
      'evstore scaffold saga order-fulfilment --events CheckoutStarted',
      'evstore append Checkout-1 --type CheckoutStarted --data \'{"total":4200}\' --quiet',
      'evstore append Checkout-2 --type CheckoutStarted --data \'{"total":250000}\' --quiet',
      'evstore run --sagas --once order_fulfilment',
      'evstore read Stock-Checkout-2 --type StockReleased -o data',
    ],
  },
];

/** They work as they stand, in the folder. */
export const tryNext: readonly string[] = [
  "evstore read 'saga:order_fulfilment-Checkout-2'",
  'evstore rollback order_summary --yes',
  'evstore run --sagas --once',
];

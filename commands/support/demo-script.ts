/** What the demo does, line by line: commands as a user would type them in its folder. */

export interface DemoStep {
  readonly purpose: string;
  readonly lines: readonly DemoLine[];
}

export interface DemoLine {
  /** Words are separated by single spaces; `'…'` keeps them together. */
  readonly line: string;
  /** Lines of output shown. */
  readonly show: number;
}

const all = Number.POSITIVE_INFINITY;

export const demoSteps: readonly DemoStep[] = [
  {
    purpose: 'A store, and events in it.',
    lines: [
      { line: 'evstore init --no-config', show: all },
      { line: 'evstore import shop.ndjson', show: all },
    ],
  },
  {
    purpose: 'A projection: code, a test that passes, and its read model.',
    lines: [
      { line: 'evstore scaffold projection order-summary', show: 1 },
      { line: 'evstore run --once', show: all },
    ],
  },
  {
    purpose: 'Somebody appends; lag says how far the read model is behind.',
    lines: [
      {
        line: 'evstore append Order-801 --type OrderPlaced --data \'{"customer":"Ada","total":4200}\' --expected-version none',
        show: 0,
      },
      { line: 'evstore lag', show: all },
    ],
  },
  {
    purpose: 'A rebuild fills a second table beside the live one and swaps it in; the old one stays for a rollback.',
    lines: [{ line: 'evstore rebuild order_summary', show: all }],
  },
  {
    purpose: 'A saga: one checkout goes through, one is over the credit limit and is undone.',
    lines: [
      { line: 'evstore scaffold saga order-fulfilment --events CheckoutStarted', show: 1 },
      { line: 'evstore append Checkout-1 --type CheckoutStarted --data \'{"total":4200}\'', show: 0 },
      { line: 'evstore append Checkout-2 --type CheckoutStarted --data \'{"total":250000}\'', show: 0 },
      { line: 'evstore run --sagas --once order_fulfilment', show: all },
      { line: 'evstore read Stock-Checkout-2 --type StockReleased -o data', show: all },
    ],
  },
];

/** They work as they stand, in the folder. */
export const tryNext: readonly string[] = [
  "evstore read 'saga:order_fulfilment-Checkout-2'",
  'evstore rollback order_summary --yes',
  'evstore run --sagas --once',
];

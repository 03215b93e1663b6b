/** The steps of the demo: commands as a user would type them in its folder. */

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
    purpose: 'Create a store and import events.',
    lines: [
      { line: 'evstore init --no-config', show: all },
      { line: 'evstore import shop.ndjson', show: all },
    ],
  },
  {
    purpose: 'Generate a projection with a passing test, and fill its read model.',
    lines: [
      { line: 'evstore scaffold projection order-summary', show: 1 },
      { line: 'evstore run --once', show: all },
    ],
  },
  {
    purpose: 'Append an event, and show how far behind the log the read model is.',
    lines: [
      {
        line: 'evstore append Order-801 --type OrderPlaced --data \'{"customer":"Ada","total":4200}\' --expected-version none',
        show: 0,
      },
      { line: 'evstore lag', show: all },
    ],
  },
  {
    purpose: 'Rebuild the read model alongside the live table and swap it in. The old table is kept for a rollback.',
    lines: [{ line: 'evstore rebuild order_summary', show: all }],
  },
  {
    purpose: 'Run a saga: one checkout completes; the other is over the credit limit and is undone.',
    lines: [
      { line: 'evstore scaffold saga order-fulfilment', show: 1 },
      { line: 'evstore append Checkout-1 --type CheckoutStarted --data \'{"total":4200}\'', show: 0 },
      { line: 'evstore append Checkout-2 --type CheckoutStarted --data \'{"total":250000}\'', show: 0 },
      { line: 'evstore run --sagas --once order_fulfilment', show: all },
      { line: 'evstore read Stock-Checkout-2 --type StockReleased -o data', show: all },
    ],
  },
];

/** Commands that work when pasted in the folder. */
export const tryNext: readonly string[] = [
  "evstore read 'saga:order_fulfilment-Checkout-2'",
  'evstore rollback order_summary --yes',
  'evstore run --sagas --once',
];

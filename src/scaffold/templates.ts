/** The templates, and the words in them that scaffolding respells. */

export type ProjectionKind = 'summary' | 'aggregates' | 'join' | 'search' | 'sql' | 'external';
export type SagaKind = 'orchestration' | 'choreography' | 'temporal';

export interface Template {
  /** The folder of the template. */
  readonly folder: 'projection' | 'saga' | 'temporal' | 'aggregate' | 'upcaster' | 'reaction';
  /** The file without `.ts`; also the name that is respelled in it. */
  readonly name: string;
  /**
   * Files that keep their names and get a folder of the name: ES modules, in the style of the templates. Default: `NAME.ts`
   * and `NAME.test.ts`.
   */
  readonly files?: readonly string[];
  /**
   * The event types in it. The lines of the first are kept; consecutive lines that name one of the others each are
   * replaced by lines for the user's types.
   */
  readonly events: readonly string[];
  /** The fields of the first event's data: consecutive lines, one per field, are replaced by lines for the user's. */
  readonly fields: readonly string[];
  /** The category of the first event, and that of the others if they are in other streams. */
  readonly categories: readonly [string] | readonly [string, string];
  /**
   * The steps in it, as in file names. In a saga each is a call of `.step` over several lines; in other files consecutive
   * lines that name them, one or more per step, are repeated for the user's.
   */
  readonly steps?: readonly string[];
  /** Is used in its place when the user has event types or steps of their own. */
  readonly own?: Template;
  /** Identifiers in it, which cannot be the name. */
  readonly identifiers?: readonly string[];
  /** Handles one event type and no others. */
  readonly takesOneEvent?: true;
  /** A short summary, for lists. */
  readonly summary: string;
}

const orders = { events: ['OrderPlaced', 'OrderPaid', 'OrderShipped'], categories: ['Order'] } as const;
const notes = { events: ['OrderPlaced', 'OrderNoteAdded', 'OrderShipped'], fields: [], categories: ['Order'] } as const;

export const projectionTemplates: Readonly<Record<ProjectionKind, Template>> = {
  summary: {
    folder: 'projection',
    name: 'order-summary',
    ...orders,
    fields: ['customer', 'total'],
    summary: 'one row for each stream, with its current status',
  },
  aggregates: {
    folder: 'projection',
    name: 'orders-by-day',
    ...orders,
    fields: [],
    summary: 'one row for each day, with a count of each event type',
  },
  join: {
    folder: 'projection',
    name: 'order-customers',
    events: ['OrderPlaced', 'CustomerRegistered', 'CustomerRenamed'],
    fields: [],
    categories: ['Order', 'Customer'],
    summary: 'one row for each stream, with a name that events of other streams set',
  },
  search: {
    folder: 'projection',
    name: 'order-search',
    ...notes,
    summary: 'words of the events, with the streams they appear in',
  },
  sql: {
    folder: 'projection',
    name: 'order-activity',
    ...orders,
    fields: ['customer', 'total'],
    summary: 'one row for each stream, written by your own SQL',
  },
  external: {
    folder: 'projection',
    name: 'order-text',
    ...notes,
    summary: 'rows outside the store: full-text search in a file of its own',
  },
};

export const reactionTemplate: Template = {
  folder: 'reaction',
  name: 'order-follow-up',
  events: ['OrderPlaced'],
  fields: ['customer', 'total'],
  categories: ['Order'],
  summary: 'a reaction: events in, events out',
};

export const sagaTemplates: Readonly<Record<SagaKind, Template>> = {
  orchestration: {
    folder: 'saga',
    name: 'order-fulfilment',
    events: ['CheckoutStarted'],
    fields: [],
    categories: ['Checkout'],
    own: {
      folder: 'saga',
      name: 'order-steps',
      events: ['OrderPlaced'],
      fields: ['customer', 'total'],
      categories: ['Order'],
      steps: ['reserve-stock', 'book-shipment'],
      summary: '',
    },
    summary: 'steps in order, each with its compensation',
  },
  choreography: reactionTemplate,
  temporal: {
    folder: 'temporal',
    name: 'order-fulfilment',
    files: [
      'README.md',
      'saga.ts',
      'workflow.ts',
      'activities.ts',
      'worker.ts',
      'start-sagas.ts',
      'starter.ts',
      'sample.ts',
      'replay.ts',
      'check-calls.ts',
      'activities.test.ts',
      'start-sagas.test.ts',
      'workflow.test.ts',
    ],
    identifiers: [
      'compensationOptions',
      'compensations',
      'proxyActivities',
      'startOnce',
      'startSagas',
      'stepOptions',
      'steps',
      'taskQueue',
      'toTrigger',
      'workflowIdOf',
    ],
    steps: ['reserve-stock', 'charge-customer', 'book-shipment'],
    events: ['OrderPlaced'],
    fields: ['customer', 'total'],
    categories: ['Order'],
    summary: 'a workflow on a Temporal server, for long sagas that branch',
  },
};

export const aggregateTemplate: Template = {
  folder: 'aggregate',
  name: 'shop-order',
  ...orders,
  fields: ['customer', 'total'],
  summary: 'a state made of the events of one stream, and decisions on commands',
};

export const upcasterTemplate: Template = {
  folder: 'upcaster',
  name: 'order-source',
  events: ['OrderPlaced'],
  fields: [],
  categories: ['Order'],
  takesOneEvent: true,
  summary: 'data of an older schema version, as that of the next',
};

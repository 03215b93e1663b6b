/** The templates, and the words in them that scaffolding respells. */

export type ProjectionKind = 'summary' | 'aggregates' | 'join' | 'search' | 'external';
export type SagaKind = 'orchestration' | 'temporal';

export interface Template {
  /** The folder of the template. */
  readonly folder: 'projection' | 'saga' | 'temporal';
  /** The file without `.ts`; also the name that is respelled in it. */
  readonly name: string;
  /** Files that keep their names and get a folder of the name. Default: `NAME.ts` and `NAME.test.ts`. */
  readonly files?: readonly string[];
  /** The steps in it, as in file names: consecutive lines that name them, one or more per step, are repeated for the user's. */
  readonly steps?: readonly string[];
  /**
   * The event types in it. The lines of the first are kept; consecutive lines that name one of the others each are
   * replaced by lines for the user's types.
   */
  readonly events: readonly string[];
  /** The fields of the first event's data: consecutive lines, one per field, are replaced by lines for the user's. */
  readonly fields: readonly string[];
  /** Identifiers in it, which cannot be the name. */
  readonly identifiers?: readonly string[];
  /** A short summary, for lists. */
  readonly summary: string;
}

export const projectionTemplates: Readonly<Record<ProjectionKind, Template>> = {
  summary: {
    folder: 'projection',
    name: 'order-summary',
    events: ['OrderPlaced', 'OrderPaid', 'OrderShipped'],
    fields: ['customer', 'total'],
    summary: 'one row for each stream, with its current status',
  },
  aggregates: {
    folder: 'projection',
    name: 'orders-by-day',
    events: ['OrderPlaced', 'OrderPaid', 'OrderShipped'],
    fields: [],
    summary: 'one row for each day, with a count of each event type',
  },
  join: {
    folder: 'projection',
    name: 'order-customers',
    events: ['OrderPlaced', 'CustomerRegistered', 'CustomerRenamed'],
    fields: [],
    summary: 'one row for each stream, with a name that events of other streams set',
  },
  search: {
    folder: 'projection',
    name: 'order-search',
    events: ['OrderPlaced', 'OrderNoteAdded', 'OrderShipped'],
    fields: [],
    summary: 'words of the events, with the streams they appear in',
  },
  external: {
    folder: 'projection',
    name: 'order-text',
    events: ['OrderPlaced', 'OrderNoteAdded', 'OrderShipped'],
    fields: [],
    summary: 'rows outside the store: full-text search in a file of its own',
  },
};

export const sagaTemplates: Readonly<Record<SagaKind, Template>> = {
  orchestration: {
    folder: 'saga',
    name: 'order-fulfilment',
    events: ['OrderPlaced'],
    fields: [],
    summary: 'steps in order, each with its compensation',
  },
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
    summary: 'a workflow on a Temporal server, for long sagas that branch',
  },
};

/** Which templates there are, and which of their words are to be respelled. */

export type ProjectionKind = 'summary' | 'aggregates' | 'join' | 'search' | 'external';
export type SagaKind = 'orchestration';

export interface Template {
  /** Its folder and the generated code's: `projection` → `projections/`. */
  readonly folder: 'projection' | 'saga';
  /** Its file without `.ts`, and the name that is respelled in it. */
  readonly name: string;
  /**
   * The event types in it. The first one's lines are kept; a run of lines that name the later ones, one each, becomes a
   * run of lines for the user's.
   */
  readonly events: readonly string[];
  /** Fields of the first event's data: a run of lines, one each, becomes a run of lines for the user's. */
  readonly fields: readonly string[];
  /** Half a line, for lists. */
  readonly summary: string;
}

export const projectionTemplates: Readonly<Record<ProjectionKind, Template>> = {
  summary: {
    folder: 'projection',
    name: 'order-summary',
    events: ['OrderPlaced', 'OrderPaid', 'OrderShipped'],
    fields: ['customer', 'total'],
    summary: 'a row per stream: where it stands',
  },
  aggregates: {
    folder: 'projection',
    name: 'orders-by-day',
    events: ['OrderPlaced', 'OrderPaid', 'OrderShipped'],
    fields: [],
    summary: 'a row per day: how often each event happened',
  },
  join: {
    folder: 'projection',
    name: 'order-customers',
    events: ['OrderPlaced', 'CustomerRegistered', 'CustomerRenamed'],
    fields: [],
    summary: 'a row per stream with a name from other streams: the first event refers to it, the others give it',
  },
  search: {
    folder: 'projection',
    name: 'order-search',
    events: ['OrderPlaced', 'OrderNoteAdded', 'OrderShipped'],
    fields: [],
    summary: 'every word of the events, and the streams it appears in',
  },
  external: {
    folder: 'projection',
    name: 'order-text',
    events: ['OrderPlaced', 'OrderNoteAdded', 'OrderShipped'],
    fields: [],
    summary: 'full-text search in a file of its own, as rows outside the store are kept',
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
};

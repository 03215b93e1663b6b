/** The port: events that a read model has to do without, because its handler could not take them. */

/**
 * `parked`: waits to be tried again, and later events of its stream wait behind it. `skipped` and `discarded`: given up,
 * by the runner or by hand, and kept as evidence.
 */
export type ParkedState = 'parked' | 'skipped' | 'discarded';

/** An event that is put aside, and why. */
export interface SetAside {
  readonly globalPosition: number;
  readonly id: string;
  readonly streamId: string;
  readonly type: string;
  readonly state: ParkedState;
  /** Null for one that only waits behind another of its stream. */
  readonly error: string | null;
  /** How often it was tried; 0 for one that only waits. */
  readonly attempts: number;
}

export interface ParkedEvent extends SetAside {
  /** The checkpoint it is missed by: a projection's, or a part's. For tables beside the live ones the projection. */
  readonly projection: string;
  /** Which tables miss it: 0 for the live ones, otherwise those that stand beside them in that rebuild. */
  readonly rebuild: number;
  readonly parkedAt: string;
}

/** What a transaction does to the events put aside, for the tables that it writes. */
export interface ParkedChanges {
  /** As `ParkedEvent` has it. */
  readonly projection: string;
  /** Put aside, or put aside already and now in another state. */
  readonly added: readonly SetAside[];
  /** Positions of events that are in the tables now. */
  readonly removed: readonly number[];
}

/** All that is said must be so. */
export interface ParkedFilter {
  /** With its parts. */
  readonly projection?: string;
  readonly rebuild?: number;
  readonly state?: ParkedState;
  readonly streamId?: string;
  readonly limit?: number;
}

/** Parked events of the live tables, those that only wait included, and those of parts. */
export interface ParkedCount {
  readonly projection: string;
  readonly events: number;
}

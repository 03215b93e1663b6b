/** The port: events that are missing in a read model, because its handler could not process them. */

/**
 * `parked`: waits for a retry, and later events of its stream wait behind it. `skipped` (by the runner) and `discarded`
 * (by hand): abandoned, and kept as evidence.
 */
export type ParkedState = 'parked' | 'skipped' | 'discarded';

/** A parked event, and why it is parked. */
export interface SetAside {
  readonly globalPosition: number;
  readonly id: string;
  readonly streamId: string;
  readonly type: string;
  readonly state: ParkedState;
  /** Null for one that only waits behind another of its stream. */
  readonly error: string | null;
  /** How many times it was tried; 0 for one that only waits. */
  readonly attempts: number;
}

export interface ParkedEvent extends SetAside {
  /** The checkpoint that misses it, of a projection or a part; for the tables of a rebuild, the projection. */
  readonly projection: string;
  /** The tables that miss it: 0 for the live ones, or the number of a rebuild for its tables. */
  readonly rebuild: number;
  readonly parkedAt: string;
}

/** What a transaction changes about the parked events of the tables that it writes. */
export interface ParkedChanges {
  /** As in `ParkedEvent`. */
  readonly projection: string;
  /** Events to park, and parked ones whose state changes. */
  readonly added: readonly SetAside[];
  /** Positions of events that are in the tables now. */
  readonly removed: readonly number[];
}

/** All given conditions must hold. */
export interface ParkedFilter {
  /** Includes its parts. */
  readonly projection?: string;
  readonly rebuild?: number;
  readonly state?: ParkedState;
  readonly streamId?: string;
  readonly limit?: number;
}

/** The parked events of the live tables, including those that only wait, and those of parts. */
export interface ParkedCount {
  readonly projection: string;
  readonly events: number;
}

/** The port: changes of checkpoints by hand, which are recorded. */

/** Who changes a checkpoint by hand, and what they knew about it. */
export interface ChangeByHand {
  /** Where the checkpoint was when the change was decided. Nothing is changed when it is elsewhere now. */
  readonly from: number;
  /** The events between the two positions that the subscription handles; null where it is unknown which those are. */
  readonly events: number | null;
  /** The events were not counted, but estimated from a sample. */
  readonly estimated: boolean;
  /** `user@host`, of the operating system. */
  readonly by: string;
  /** The command line, without passwords. */
  readonly command: string;
  readonly reason: string | null;
}

export interface CheckpointChange extends ChangeByHand {
  readonly subscriptionId: string;
  /** Null: it was deleted. */
  readonly to: number | null;
  readonly at: string;
}

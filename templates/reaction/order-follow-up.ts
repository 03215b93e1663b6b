/**
 * Order follow up: appends an event whenever an event of its types is recorded. The new event is appended exactly once, with
 * the correlation id of its cause. A reaction gets each event in the log, even an old one. To pass over older events, set
 * `since`.
 */
import { defineReaction } from 'evstore';

export default defineReaction({
  name: 'order_follow_up',
  version: 1,
  on: 'OrderPlaced',
  react: ({ streamId }) => ({
    streamId: `FollowUp-${streamId}`,
    type: 'FollowUpRequested',
    data: { after: streamId },
  }),
});

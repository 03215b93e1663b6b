/**
 * Order source: turns the data of schema version 1 into that of version 2, which says where it came from. The stored event
 * never changes. List the upcaster under `upcasters` of each projection, saga and aggregate that handles the event, and
 * append new events with `schemaVersion: 2`.
 */
import { defineUpcaster } from 'evstore';

export default defineUpcaster({
  type: 'OrderPlaced',
  from: 1,
  to: 2,
  up: (data) => ({ ...data, source: 'unknown' }),
});

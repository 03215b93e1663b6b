/** Limits how far V8 lets the heap grow between collections. */

/** In percent of the live heap. V8's default is 300, which costs 60 MB while batches of events are folded. */
const mostGrowth = 200;

/**
 * For commands that fold the whole log and remember few rows. The only measurable cost is the millisecond in which v8 is
 * loaded.
 */
export function keepHeapSmall(): void {
  // V8 reads it at each collection, so it can be set while the process runs, unlike the size of the young generation.
  process.getBuiltinModule('node:v8').setFlagsFromString(`--heap-growing-percent=${mostGrowth}`);
}

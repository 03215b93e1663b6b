/** How much of the memory V8 leaves to what is garbage by then. */

/** In percent of what it holds. V8's own choice is 300, from which a batch of events in work makes 60 MB. */
const mostGrowth = 200;

/**
 * For what folds a whole log into rows and remembers few of them. Costs nothing that could be measured but the millisecond in
 * which v8 is loaded.
 */
export function keepHeapSmall(): void {
  // Read by V8 at each collection, so that it is not too late for it, as it is for the size of the young generation.
  process.getBuiltinModule('node:v8').setFlagsFromString(`--heap-growing-percent=${mostGrowth}`);
}

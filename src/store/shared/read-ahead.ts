/** Reads the next item while the current one is worked on. A failure is met where the item would have been. */

/** @param isEnough true: what is on its way already is the last item */
export async function* readAhead<Item>(source: AsyncIterable<Item>, isEnough = () => false): AsyncGenerator<Item> {
  const iterator = source[Symbol.asyncIterator]();
  let next = iterator.next();
  try {
    for (;;) {
      const { done, value } = await next;
      if (done === true) return;
      const isLast = isEnough();
      if (!isLast) {
        next = iterator.next();
        next.catch(() => {});
      }
      yield value;
      if (isLast) return;
    }
  } finally {
    await next.catch(() => {});
    await iterator.return?.();
  }
}

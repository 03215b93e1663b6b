/** Reads the next item while the current one is processed. A failure is thrown in the place of its item. */

/** @param isEnough returns true when the item that is being read is the last */
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

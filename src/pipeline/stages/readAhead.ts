/**
 * The results of `read(0)`, `read(1)`, … `read(count − 1)` in order. While one is used the next is read, so that at most two
 * are in memory.
 */
export async function* readAhead<Item>(
  count: number,
  read: (index: number) => Promise<Item>,
): AsyncGenerator<Item, void> {
  let next = count > 0 ? read(0) : undefined;
  for (let index = 0; next !== undefined; index++) {
    const item = await next;
    next = index + 1 < count ? read(index + 1) : undefined;
    // Whoever uses the item may end before this one is waited for; its failure is then nobody's.
    next?.catch(() => undefined);
    yield item;
  }
}

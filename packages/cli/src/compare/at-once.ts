import { PolycastError } from '@polycast/core';

export type Outcome<Value> = { readonly value: Value } | { readonly error: PolycastError };

/**
 * Does a piece of work for each item, at most `atOnce` at the same time, begun in their order.
 * One that fails must not hide what is known of the others.
 * @returns in the order of the items. @throws the signal's reason, after what had begun has ended
 */
export async function eachAtMost<Item, Value>(
  atOnce: number,
  items: readonly Item[],
  signal: AbortSignal,
  work: (item: Item) => Promise<Value>,
): Promise<readonly Outcome<Value>[]> {
  const outcomes = new Array<Outcome<Value>>(items.length);
  let next = 0;
  const worker = async () => {
    while (next < items.length && !signal.aborted) {
      const at = next++;
      try {
        outcomes[at] = { value: await work(items[at]!) };
      } catch (error) {
        outcomes[at] = { error: PolycastError.from(error) };
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  signal.throwIfAborted();
  return outcomes;
}

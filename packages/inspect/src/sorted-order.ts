// A merge sort that yields now and then. Array sort() would block the page until it ends.
/** Steps from one pause to the next. */
const PAUSE = 4096

/**
 * The indexes 0 to n - 1 in the order of `compare`. Equal ones keep their order in `before`, an earlier order of the
 * same length.
 */
export function* sortedOrder(
  n: number,
  compare: (a: number, b: number) => number,
  before?: Uint32Array,
): Generator<void, Uint32Array> {
  let from = before?.slice() ?? Uint32Array.from({ length: n }, (_, i) => i)
  let to = new Uint32Array(n)
  let steps = 0
  for (let width = 1; width < n; width *= 2) {
    for (let start = 0; start < n; start += 2 * width) {
      const [middle, end] = [Math.min(n, start + width), Math.min(n, start + 2 * width)]
      let [left, right] = [start, middle]
      // Data that was in order before is mostly still in order.
      if (middle >= end || compare(from[middle - 1] as number, from[middle] as number) <= 0) {
        to.set(from.subarray(start, end), start)
        if (++steps % PAUSE === 0) yield
        continue
      }
      for (let i = start; i < end; i++) {
        if (++steps % PAUSE === 0) yield
        const takesLeft = left < middle && (right >= end || compare(from[left] as number, from[right] as number) <= 0)
        to[i] = from[takesLeft ? left++ : right++] as number
      }
    }
    ;[from, to] = [to, from]
  }
  return from
}

/** The indexes in order of address. Does not sort things that are in order already. */
export function* inAddressOrder(things: readonly { readonly address: number }[]): Generator<void, Uint32Array> {
  const addressOf = (i: number): number => things[i]?.address ?? 0
  let isSorted = true
  for (let i = 1; i < things.length && isSorted; i++) isSorted = addressOf(i - 1) <= addressOf(i)
  if (isSorted) return Uint32Array.from(things, (_, i) => i)
  return yield* sortedOrder(things.length, (a, b) => addressOf(a) - addressOf(b))
}

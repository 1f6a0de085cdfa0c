// Traces of keys in the shapes that programs have, made from a seed: popular keys, scans, loops, and drift.
import type { Random } from '@memlayer/witness'

/** A source of keys, which are whole numbers. */
export type Trace = Iterable<number>

/** Draws ranks 0 to `count` - 1. Rank r is drawn in proportion to 1 / (r + 1) ** skew. */
export function zipf(random: Random, count: number, skew: number): () => number {
  const sums = new Float64Array(count)
  let sum = 0
  for (let rank = 0; rank < count; rank++) {
    sum += 1 / (rank + 1) ** skew
    sums[rank] = sum
  }
  return () => {
    const drawn = ((random.below(2 ** 32) + 0.5) / 2 ** 32) * sum
    let [low, high] = [0, count - 1]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((sums[middle] as number) < drawn) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** What a trace is made of. */
export interface TraceOptions {
  readonly random: Random
  /** Requests. */
  readonly length: number
  /** Different popular keys. */
  readonly keys: number
  readonly skew?: number
}

/** Popular keys only. */
export function* popular({ random, length, keys, skew = 1 }: TraceOptions): Generator<number> {
  const draw = zipf(random, keys, skew)
  for (let i = 0; i < length; i++) yield draw()
}

/** Popular keys, and after each `every` requests a scan of `scan` keys that come once. */
export function* scanned(options: TraceOptions & { readonly every: number; readonly scan: number }): Generator<number> {
  const { length, keys, every, scan } = options
  let next = keys
  let i = 0
  for (const key of popular(options)) {
    yield key
    i += 1
    if (i % every === 0) for (let k = 0; k < scan && i < length; k++, i++) yield next++
    if (i >= length) return
  }
}

/** The same keys in the same order, again and again. */
export function* loop(length: number, keys: number): Generator<number> {
  for (let i = 0; i < length; i++) yield i % keys
}

/** Popular keys that lose their place: every `every` requests all ranks move on by one key. */
export function* drifting(options: TraceOptions & { readonly every: number }): Generator<number> {
  let i = 0
  for (const rank of popular(options)) yield rank + Math.floor(i++ / options.every)
}

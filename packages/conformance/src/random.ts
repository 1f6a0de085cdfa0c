// Random numbers from a seed, so that a history can be replayed.

/** A source of numbers. The same seed gives the same numbers. */
export interface Random {
  /** A whole number from 0 to n - 1. */
  below(n: number): number
  /** One of the values. */
  pick<T>(values: readonly T[]): T
}

/** mulberry32, with 32 bits of state: enough for a history. */
export function random(seed: number): Random {
  let state = seed | 0
  const below = (n: number): number => {
    state = (state + 0x6d2b79f5) | 0
    let word = Math.imul(state ^ (state >>> 15), state | 1)
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61)
    return ((word ^ (word >>> 14)) >>> 0) % n
  }
  return { below, pick: <T>(values: readonly T[]): T => values[below(values.length)] as T }
}

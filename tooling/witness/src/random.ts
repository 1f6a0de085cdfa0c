// Numbers that follow from a seed, for long histories of operations.
import { testSeed } from './seed.js'

/** A source of numbers, the same for the same seed. */
export interface Random {
  /** A whole number from 0 up to and without `n`. */
  below(n: number): number
  /** One of the values. */
  pick<T>(values: readonly T[]): T
}

/** A source that begins with `seed`; without one, with the run's own, which is printed. */
export function random(seed: number = testSeed()): Random {
  // mulberry32: 32 bits of state, enough for a history.
  let state = seed
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let word = Math.imul(state ^ (state >>> 15), state | 1)
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61)
    return (word ^ (word >>> 14)) >>> 0
  }
  const below = (n: number): number => next() % n
  return { below, pick: <T>(values: readonly T[]): T => values[below(values.length)] as T }
}

// Makes random numbers from a seed, for long histories of operations.
import { testSeed } from './seed.js'

/** A source of numbers. The seed decides all of them. */
export interface Random {
  /** Returns a whole number from 0 to `n` - 1. */
  below(n: number): number
  /** Returns one of the values. */
  pick<T>(values: readonly T[]): T
}

/** Makes a source from `seed`. By default it uses the seed of this run, which is printed. */
export function random(seed: number = testSeed()): Random {
  // mulberry32 has 32 bits of state. This is enough for a history.
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

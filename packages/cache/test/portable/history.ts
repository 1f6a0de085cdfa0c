// A random history on a cache of any backend, beside its shadow. It runs where there is no test runner, so it throws.
import { createCache } from '@memlayer/cache'
import { createMemory, type OS } from '@memlayer/core'
import { random } from '@memlayer/witness/random'
import { Model } from '../model.ts'

/** What a history has done. */
export interface Summary {
  readonly name: string
  /** Values that were found. */
  readonly hits: number
  /** Bytes that the memory held, after all was given back. */
  readonly held: number
}

/** Runs `operations`. @throws Error where the cache and its shadow differ. */
export function cacheHistory(os: OS, operations: number, seed: number): Summary {
  const model = new Model(random(seed), 3000, Infinity)
  const memory = createMemory(os)
  model.cache = createCache(memory, { maximum: 2 ** 23, now: () => model.time })
  for (let i = 0; i < operations; i++) {
    model.step()
    if (i % Math.ceil(operations / 10) === 0) model.checkAll()
  }
  model.checkAll()
  const { hits } = model.cache.stats()
  model.cache.dispose()
  return { name: os.name, hits, held: memory.stats().total.held }
}

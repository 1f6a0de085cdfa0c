// A workload to look at: a cache that fills and is given back in parts, a log that grows, an index that moves.
import type { Memory } from '@memlayer/core'

const MiB = 2 ** 20

/** Starts it on `memory`; the function returned ends it and frees what it has. */
export function startDemo(memory: Memory): () => void {
  const cache = memory.reserve(512 * MiB, { name: 'cache' })
  const journal = memory.reserve(256 * MiB, { name: 'journal' })
  const index = memory.reserve(64 * MiB, { name: 'index' })
  cache.map(0, 256 * MiB)
  index.commit(0, 16 * MiB)
  index.view(Uint8Array, 0, 16 * MiB).fill(1)
  let step = 0
  let grown = 0
  const work = (): void => {
    const slot = ((step * 7) % 64) * 4 * MiB
    cache.used(slot, 4 * MiB)
    cache.view(Uint8Array, slot, 2 * MiB).fill(step)
    if (step % 3 === 2) cache.unused(slot, 4 * MiB)
    if (grown < 128 * MiB) {
      journal.commit(grown, MiB)
      journal.view(Uint8Array, grown, MiB).fill(1)
      grown += MiB
    }
    step += 1
  }
  for (let i = 0; i < 8; i++) work()
  const timer = setInterval(work, 250)
  return () => {
    clearInterval(timer)
    for (const region of [cache, journal, index]) region.free()
  }
}

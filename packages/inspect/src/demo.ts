// A workload to look at: a cache that fills and shrinks, a journal that grows and starts again, an index on huge
// pages, and columns with holes. Now and then it makes a request that every machine refuses.
import type { Memory, Region } from '@memlayer/core'

const MiB = 2 ** 20
const [SLOTS, SLOT] = [64, 4 * MiB]

/** Starts the workload on `memory`. The returned function stops it and frees its regions. */
export function startDemo(memory: Memory): () => void {
  const regions = reserveAll(memory)
  const [cache, journal, , columns] = regions
  let step = 0
  let grown = 0
  const work = (): void => {
    const slot = ((step * 7) % SLOTS) * SLOT
    cache.used(slot, SLOT)
    cache.view(Uint8Array, slot, ((step % 4) + 1) * MiB).fill(step)
    if (step % 3 === 2) cache.unused(slot, SLOT)
    if (grown >= 128 * MiB) {
      journal.unused(0, grown)
      grown = 0
    }
    journal.commit(grown, MiB)
    journal.view(Uint8Array, grown, MiB).fill(1)
    grown += MiB
    const hole = (step % 32) * 2 * MiB
    if (step % 2 === 0) columns.unused(hole, MiB / 2)
    else columns.used(0, 64 * MiB)
    if (step % 40 === 10) askTooMuch(memory)
    step += 1
  }
  for (let i = 0; i < 24; i++) work()
  const timer = setInterval(work, 250)
  return () => {
    clearInterval(timer)
    for (const region of regions) region.free()
  }
}

function reserveAll(memory: Memory): readonly [cache: Region, journal: Region, index: Region, columns: Region] {
  const cache = memory.reserve(512 * MiB, { name: 'cache' })
  const journal = memory.reserve(256 * MiB, { name: 'journal' })
  const index = memory.reserve(64 * MiB, { name: 'index', hugePages: 'on' })
  const columns = memory.reserve(96 * MiB, { name: 'columns' })
  cache.map(0, SLOTS * SLOT)
  index.commit(0, 24 * MiB)
  index.view(Uint8Array, 0, 16 * MiB).fill(1)
  columns.commit(0, 64 * MiB)
  columns.view(Uint8Array, 0, 48 * MiB).fill(1)
  return [cache, journal, index, columns]
}

/** Makes a request that is refused, so that the log has one. */
function askTooMuch(memory: Memory): void {
  try {
    memory.reserve(2 ** 52, { name: 'too much' }).free()
  } catch {
    // Expected: no machine has so much address space.
  }
}

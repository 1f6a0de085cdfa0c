// A memory with ranges in every state, and the points that every exporter must give for it.
import { createMemory, type Memory, type MemoryStats, type Region } from '@memlayer/core'
import { createOS } from '@memlayer/os-js'

// A region that is collected would count as leaked.
const kept: Region[] = []

/** A memory with a range in every state, idle pages, two categories, and a refused operation. */
export function inUse(memory: Memory = createMemory(createOS(), { scavenge: { share: 0 } })): Memory {
  const page = memory.os.traits.pageSize
  const cache = memory.stat('cache')
  const v = memory.sysReserve(null, 16 * page)
  memory.sysMap(v, 8 * page, cache)
  memory.sysUsed(v, 4 * page)
  memory.sysUnused(v, page)
  const region = memory.reserve(4 * page, { stat: cache })
  kept.push(region)
  region.commit(0, 4 * page)
  region.idle(0, 3 * page)
  memory.scavenge({ bytes: page })
  memory.sysAlloc(2 * page, memory.stat('index'))
  try {
    memory.sysAlloc(2 ** 52, memory.stat('index'))
  } catch {
    // Expected: the memory counts the refusal.
  }
  return memory
}

/** The figures that every exporter must give, by `name category state`. */
export function expected(stats: MemoryStats): Record<string, number> {
  const found: Record<string, number> = {
    'memlayer.memory.peak': stats.total.peak,
    'memlayer.memory.retained': stats.retained,
    'memlayer.memory.released': stats.total.prepared - stats.retained,
    'memlayer.memory.pinned': 0,
    'memlayer.memory.holds': 0,
    'memlayer.scavenger.released': stats.scavenged ?? 0,
    'memlayer.scavenger.time': (stats.scavengeMilliseconds ?? 0) / 1000,
  }
  for (const [category, counts] of [
    ['uncategorized', stats.uncategorized] as const,
    ...Object.entries(stats.categories),
  ]) {
    for (const state of ['reserved', 'prepared', 'ready'] as const)
      found[`memlayer.memory.usage ${category} ${state}`] = counts[state]
    found[`memlayer.memory.held ${category}`] = counts.held
    found[`memlayer.memory.category.peak ${category}`] = counts.peak
    found[`memlayer.operations ${category}`] = counts.calls
    found[`memlayer.operations.refused ${category}`] = counts.refusals
  }
  return found
}

// Fills pages that `populate` made resident before, beside a fill that takes a page fault for each page.
import { rounds, type Benchmark } from '../benchmark.js'
import type { Comparison } from '../comparison.js'
import { MiB, openMemory } from '../layer.js'
import { ratio, spread, takeTurns, type Contender } from '../measure.js'

/**
 * Fills a region whose pages were given back. With `ahead`, populate makes the pages resident before the fill. With
 * `countsAhead`, the time of populate counts too.
 */
function filling(size: number, ahead: boolean, countsAhead: boolean, faults: number[]): Contender {
  const region = openMemory().reserve(size, { hugePages: 'off' })
  region.map(0, size)
  return {
    batch(): number {
      region.used(0, size)
      const bytes = region.view(Uint8Array, 0, size)
      const start = performance.now()
      if (ahead && !region.populate(0, size))
        throw new Error('the kernel refused to populate: run this on Linux 5.14 or later')
      const populated = performance.now()
      const before = process.resourceUsage().minorPageFault
      const filled = performance.now()
      bytes.fill(1)
      const end = performance.now()
      faults.push(process.resourceUsage().minorPageFault - before)
      region.unused(0, size)
      return (end - filled + (countsAhead ? populated - start : 0)) * 1e6
    },
  }
}

export const populate: Benchmark = {
  name: 'populate',
  says: 'a fill of 64 MiB after populate, and without',
  async run(settings) {
    const size = settings.quick ? MiB : 64 * MiB
    const faults: Record<'memlayer' | 'both' | 'untouched', number[]> = { memlayer: [], both: [], untouched: [] }
    const ways = {
      memlayer: filling(size, true, false, faults.memlayer),
      both: filling(size, true, true, faults.both),
      untouched: filling(size, false, false, faults.untouched),
    }
    const series = await takeTurns(ways, rounds(settings, { rounds: 20, warmUp: 2, times: 1 }))
    const line = (work: string, ours: readonly number[]): Comparison => ({
      work,
      unit: 'ns',
      ours: spread(ours),
      beside: 'a fill that faults',
      theirs: spread(series.untouched),
      measure: 'times',
      result: ratio(ours, series.untouched),
    })
    const seen = spread(faults.memlayer)
    return [
      line('a fill of 64 MiB after populate', series.memlayer),
      line('populate and fill of 64 MiB', series.both),
      {
        work: 'page faults in a fill of 64 MiB after populate',
        unit: 'count',
        ours: seen,
        beside: 'a fill that faults',
        theirs: spread(faults.untouched),
        measure: 'alone',
        result: seen,
        // The engine's other threads take page faults of their own meanwhile.
        goal: { kind: 'most', value: 50 },
      },
    ]
  },
}

// Gives many ranges back at once. The batched call stands beside one madvise for each range.
import { rounds, withFloor, type Benchmark } from '../benchmark.js'
import type { Comparison } from '../comparison.js'
import { bareLibc, MADV_DONTNEED, MiB, openMemory, readyRange } from '../layer.js'
import { ratioOrNull, spread, spreadOrNull, takeTurns, type Contender } from '../measure.js'

const RANGES = 512
const WORK = `giving back ${RANGES} scattered pages, each touched`

/** Gives the ranges back `times` times. Before each time, `prepare` touches all of them, outside the measured time. */
function contender(prepare: () => void, giveBack: () => void): Contender {
  return {
    batch(times: number): number {
      let ms = 0
      for (let i = 0; i < times; i++) {
        prepare()
        const start = performance.now()
        giveBack()
        ms += performance.now() - start
      }
      return ms * 1e6
    },
  }
}

function beside(name: string, memlayer: readonly number[], theirs: readonly number[], goal?: number): Comparison {
  return {
    work: WORK,
    unit: 'ns',
    ours: spread(memlayer),
    beside: name,
    theirs: spreadOrNull(theirs),
    measure: 'times',
    result: ratioOrNull(memlayer, theirs),
    ...(goal === undefined ? {} : { goal: { kind: 'most', value: goal } }),
  }
}

export const giveBack: Benchmark = {
  name: 'give-back',
  says: 'sysUnusedAll over 512 pages, and one madvise for each',
  async run(settings) {
    const { memory, address } = readyRange(openMemory(), 64 * MiB)
    const libc = bareLibc()
    const page = memory.os.traits.pageSize
    const starts = Array.from({ length: RANGES }, (_, i) => address + (8 * i + 1) * page)
    const pairs = Float64Array.from(starts.flatMap((v) => [v, page]))
    const bytes = new Uint8Array(memory.os.view(address, 64 * MiB))
    const touch = (): void => {
      for (let i = 0; i < RANGES; i++) bytes[(8 * i + 1) * page] = 1
    }
    const use = (): void => {
      // Use each range by itself. One sysUsed over all of them would ask for huge pages,
      // and sysUnused would have to forbid them again.
      for (const v of starts) memory.sysUsed(v, page)
      touch()
    }
    memory.sysUnusedAll(pairs)
    const ways: Record<'memlayer' | 'bare', Contender> = {
      memlayer: contender(use, () => memory.sysUnusedAll(pairs)),
      bare: contender(touch, () => {
        for (const v of starts) libc.madvise(v, page, MADV_DONTNEED)
      }),
    }
    const series = await withFloor(settings, 'give-back', async (c) =>
      takeTurns<'memlayer' | 'bare' | 'c'>({ ...ways, c }, rounds(settings, { rounds: 150, warmUp: 30, times: 2 })),
    )
    return [
      beside('C, one madvise a range', series.memlayer, series.c, 0.8),
      beside('bare foreign calls', series.memlayer, series.bare),
    ]
  },
}

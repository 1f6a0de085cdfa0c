// Measures what the ledger costs: an operation with the ledger and without it, and with few ranges and many.
import { rounds, type Benchmark, type Settings } from '../benchmark.js'
import type { Comparison } from '../comparison.js'
import { openMemory, readyRange } from '../layer.js'
import { difference, looped, ratio, spread, takeTurns, type Contender } from '../measure.js'

const counts = [10, 1000, 100_000, 1_000_000] as const
// The work uses this many of the ranges and gives them back, one after the other in random order.
const VISITED_RANGES = 4096

/**
 * Makes `count` ranges of one page, Ready and Prepared by turns. The work uses one of the Prepared pages, which joins
 * three ranges to one, and gives it back. These are two operations.
 */
function contender(ledger: boolean, count: number): Contender {
  const memory = openMemory({ ledger })
  const page = memory.os.traits.pageSize
  const { address } = readyRange(memory, count * page)
  const prepared = Math.floor(count / 2)
  const at = (i: number): number => address + (2 * i + 1) * page
  if (ledger)
    memory.sysUnusedAll(Float64Array.from({ length: 2 * prepared }, (_, i) => (i % 2 === 0 ? at(i / 2) : page)))
  // The array starts with null. Reading an array of only doubles would make a new object for each element.
  const visited: (number | null)[] = [null]
  for (let i = 0; i < VISITED_RANGES; i++) visited[i] = at((Math.imul(i, 0x9e3779b1) >>> 0) % prepared)
  let next = 0
  return looped((times) => {
    for (let i = 0; i < times; i++) {
      const v = visited[next++ % VISITED_RANGES] as number
      memory.sysUsed(v, page)
      memory.sysUnused(v, page)
    }
  })
}

function lines(counted: readonly number[], series: Readonly<Record<string, readonly number[]>>): Comparison[] {
  const perOperation = (name: string): readonly number[] => (series[name] ?? []).map((ns) => ns / 2)
  const first = counted[0] ?? 0
  const last = counted.at(-1) ?? 0
  const text = (count: number): string => count.toLocaleString('en')
  const ledger = [first, last].map((count): Comparison => ({
    work: `an operation, ${text(count)} ranges`,
    unit: 'ns',
    ours: spread(perOperation(`with ${count}`)),
    beside: '{ ledger: false }',
    theirs: spread(perOperation(`without ${count}`)),
    measure: 'more',
    result: difference(perOperation(`with ${count}`), perOperation(`without ${count}`)),
    goal: { kind: 'most', value: count === first ? 250 : 600 },
  }))
  const itself = counted.slice(1).map((count): Comparison => ({
    work: `an operation, ${text(count)} ranges`,
    unit: 'ns',
    ours: spread(perOperation(`with ${count}`)),
    beside: `itself, ${first} ranges`,
    theirs: spread(perOperation(`with ${first}`)),
    measure: 'times',
    result: ratio(perOperation(`with ${count}`), perOperation(`with ${first}`)),
    goal: { kind: 'most', value: 2 },
  }))
  return [...ledger, ...itself]
}

export const ranges: Benchmark = {
  name: 'ranges',
  says: 'an operation among 10 to 1,000,000 ranges, with the ledger and without',
  async run(settings: Settings) {
    const counted = settings.quick ? counts.slice(0, 2) : counts
    const ends = [counted[0], counted.at(-1) ?? 0]
    const ways = Object.fromEntries([
      ...counted.map((count) => [`with ${count}`, contender(true, count)] as const),
      ...ends.map((count) => [`without ${count}`, contender(false, count)] as const),
    ])
    return lines(counted, await takeTurns(ways, rounds(settings, { rounds: 300, warmUp: 60, times: 100 })))
  },
}

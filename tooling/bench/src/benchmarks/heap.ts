// Measures what an operation leaves on the JavaScript heap, by the engine's own counters.
import { PerformanceObserver } from 'node:perf_hooks'
import { setImmediate } from 'node:timers/promises'
import { getHeapStatistics } from 'node:v8'
import { collect, type Benchmark } from '../benchmark.js'
import type { Comparison } from '../comparison.js'
import {
  bareLibc,
  GiB,
  KiB,
  MADV_DONTNEED,
  MADV_HUGEPAGE,
  MADV_NOHUGEPAGE,
  MiB,
  openMemory,
  readyRange,
} from '../layer.js'
import { difference, spread } from '../measure.js'

const SMALL_BYTES = 64 * KiB
const HUGE_PAGE_BYTES = 2 * MiB
type Work = (times: number) => void

/** Returns heap bytes of one operation, a number for each sample. A sample with a collection in it does not count. */
function bytesEach(work: Work, times: number, samples: number): number[] {
  work(50 * times)
  const seen: number[] = []
  for (let i = 0; i < 20 * samples && seen.length < samples; i++) {
    const before = getHeapStatistics().used_heap_size
    work(times)
    const bytes = getHeapStatistics().used_heap_size - before
    // Reading the counter itself leaves an object, so its bytes are subtracted.
    if (bytes >= 0) seen.push(Math.max(bytes - COUNTER_BYTES, 0) / times)
  }
  return seen
}

const COUNTER_BYTES = ((): number => {
  const asked = Array.from({ length: 50 }, () => {
    const before = getHeapStatistics().used_heap_size
    return getHeapStatistics().used_heap_size - before
  })
  return spread(asked).median
})()

async function collections(work: Work, times: number): Promise<number> {
  // Earlier garbage does not belong to this work.
  collect()
  await setImmediate()
  let count = 0
  const observer = new PerformanceObserver((list) => {
    count += list.getEntries().length
  })
  observer.observe({ entryTypes: ['gc'] })
  work(times)
  await setImmediate()
  count += observer.takeRecords().length
  observer.disconnect()
  return count
}

interface Pair {
  readonly work: string
  readonly memlayer: Work
  readonly bare: Work
}

function pairs(): Pair[] {
  const { memory, stat, address } = readyRange(openMemory(), 64 * MiB)
  const libc = bareLibc()
  const v = address + SMALL_BYTES
  return [
    {
      work: 'heap bytes: unused + used of a huge page',
      memlayer: (times) => {
        for (let i = 0; i < times; i++) {
          memory.sysUnused(address, HUGE_PAGE_BYTES)
          memory.sysUsed(address, HUGE_PAGE_BYTES)
        }
      },
      bare: (times) => {
        for (let i = 0; i < times; i++) {
          libc.madvise(address, HUGE_PAGE_BYTES, MADV_DONTNEED)
          libc.madvise(address, HUGE_PAGE_BYTES, MADV_HUGEPAGE)
        }
      },
    },
    {
      work: 'heap bytes: unused + used of 64 KiB',
      memlayer: (times) => {
        for (let i = 0; i < times; i++) {
          memory.sysUnused(v, SMALL_BYTES)
          memory.sysUsed(v, SMALL_BYTES)
        }
      },
      bare: (times) => {
        for (let i = 0; i < times; i++) {
          libc.madvise(v - (v % HUGE_PAGE_BYTES), HUGE_PAGE_BYTES, MADV_NOHUGEPAGE)
          libc.madvise(v, SMALL_BYTES, MADV_DONTNEED)
        }
      },
    },
    {
      work: 'heap bytes: alloc + free of 64 KiB',
      memlayer: (times) => {
        for (let i = 0; i < times; i++) memory.sysFree(memory.sysAlloc(SMALL_BYTES, stat), SMALL_BYTES, stat)
      },
      bare: (times) => {
        for (let i = 0; i < times; i++) libc.munmap(libc.mmap(0, SMALL_BYTES, 3, 0x22, -1, 0), SMALL_BYTES)
      },
    },
    {
      work: 'heap bytes: reserve + free of 1 GiB',
      memlayer: (times) => {
        for (let i = 0; i < times; i++) memory.sysFree(memory.sysReserve(null, GiB), GiB, null)
      },
      bare: (times) => {
        for (let i = 0; i < times; i++) libc.munmap(libc.mmap(0, GiB, 0, 0x22, -1, 0), GiB)
      },
    },
  ]
}

export const heap: Benchmark = {
  name: 'heap',
  says: 'bytes that operations leave on the JavaScript heap, and the collections that come of them',
  async run({ quick }) {
    const all = pairs()
    const lines = all.map(({ work, memlayer, bare }): Comparison => {
      const ours = bytesEach(memlayer, quick ? 100 : 2000, 9)
      const theirs = bytesEach(bare, quick ? 100 : 2000, 9)
      const result = difference(ours, theirs.slice(0, ours.length))
      return {
        work,
        unit: 'bytes',
        ours: spread(ours),
        beside: 'bare foreign calls',
        theirs: spread(theirs),
        measure: 'more',
        result,
        // Another part of the engine may make one number in a thousand operations: a hundredth of a byte for each.
        goal: { kind: 'most', value: 0.05 },
      }
    })
    const [steady] = all
    const count = await collections(steady?.memlayer ?? ((): void => undefined), quick ? 1000 : 1_000_000)
    const value = { median: count, low: count, high: count }
    const collected: Comparison = {
      work: 'garbage collections: a million times unused + used',
      unit: 'count',
      ours: value,
      beside: '',
      theirs: null,
      measure: 'alone',
      result: value,
      goal: { kind: 'most', value: 0 },
    }
    return [...lines, collected]
  },
}

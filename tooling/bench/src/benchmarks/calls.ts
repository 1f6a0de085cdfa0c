// Measures what a call of the layer costs. Beside it stand the same kernel calls, made by a C program and by
// bare foreign calls from JavaScript.
import type { Comparison, Goal } from '../comparison.js'
import { rounds, withFloor, type Benchmark, type Settings } from '../benchmark.js'
import { bareLibc, GiB, KiB, MADV_DONTNEED, MADV_NOHUGEPAGE, MiB, openMemory, readyRange } from '../layer.js'
import {
  difference,
  looped,
  ratioOrNull,
  spread,
  spreadOrNull,
  takeTurns,
  type Contender,
  type Series,
} from '../measure.js'

const libc = bareLibc()
const HUGE_PAGE_BYTES = 2 * MiB
const SMALL_BYTES = 64 * KiB
// These addresses are far from every mapping and from each other. The kernel's cost of a reservation depends on the
// mappings beside it. Without a hint, one process takes up to 2.5 times as long as another.
const EMPTY_ADDRESSES = Array.from({ length: 8 }, (_, i) => (8 + i) * 4096 * GiB)
const { transfer } = ArrayBuffer.prototype
// A work with a goal for each operation has two operations, each with one kernel call.
const OPERATIONS = 2
const [PROT_NONE, PROT_READ_WRITE, ANONYMOUS] = [0, 3, 0x22] as const

/** The goals beside C and beside the bare call. */
interface CallGoals {
  readonly c?: Goal
  readonly bare?: Goal
}

interface Ways {
  readonly memlayer: Contender
  readonly bare: Contender
}

/**
 * Compares the ways of doing one work. A turn makes a cheap call many times. It stays far shorter than the time slice
 * that the host gives a process.
 */
async function compare(
  settings: Settings,
  work: string,
  name: string,
  times: number,
  ways: Ways,
  goals: CallGoals,
): Promise<Comparison[]> {
  const series = await withFloor(settings, name, async (c) =>
    takeTurns<'memlayer' | 'bare' | 'c'>({ ...ways, c }, rounds(settings, { rounds: 400, warmUp: 60, times })),
  )
  return [besideC(work, series, goals.c), besideBare(work, series, goals.bare)]
}

function besideC(work: string, { memlayer, c }: Series<'memlayer' | 'c'>, goal?: Goal): Comparison {
  return {
    work,
    unit: 'ns',
    ours: spread(memlayer),
    beside: 'C',
    theirs: spreadOrNull(c),
    measure: 'times',
    result: ratioOrNull(memlayer, c),
    ...(goal === undefined ? {} : { goal }),
  }
}

/** Compares with bare foreign calls, to show the layer's own cost. With a goal, the figures are for one operation. */
function besideBare(work: string, { memlayer, bare }: Series<'memlayer' | 'bare'>, goal?: Goal): Comparison {
  const parts = goal === undefined ? 1 : OPERATIONS
  return {
    work: goal === undefined ? work : `${work}: an operation`,
    unit: 'ns',
    ours: spread(memlayer.map((ns) => ns / parts)),
    beside: goal === undefined ? 'bare foreign calls' : 'a bare foreign call',
    theirs: spread(bare.map((ns) => ns / parts)),
    measure: 'more',
    result: difference(memlayer, bare, parts),
    ...(goal === undefined ? {} : { goal }),
  }
}

const allocFree: Benchmark = {
  name: 'alloc-free',
  says: 'sysAlloc and sysFree of 64 KiB',
  async run(settings) {
    const memory = openMemory()
    const stat = memory.stat('bench')
    const ways = {
      memlayer: looped((times) => {
        for (let i = 0; i < times; i++) memory.sysFree(memory.sysAlloc(SMALL_BYTES, stat), SMALL_BYTES, stat)
      }),
      bare: looped((times) => {
        for (let i = 0; i < times; i++)
          libc.munmap(libc.mmap(0, SMALL_BYTES, PROT_READ_WRITE, ANONYMOUS, -1, 0), SMALL_BYTES)
      }),
    }
    return compare(settings, 'alloc + free of 64 KiB', 'alloc-free', 100, ways, {
      c: { kind: 'most', value: 1.35 },
      bare: { kind: 'most', value: 250 },
    })
  },
}

const reserveFree: Benchmark = {
  name: 'reserve-free',
  says: 'sysReserve and sysFree of 1 GiB',
  async run(settings) {
    const memory = openMemory()
    const ways = {
      memlayer: looped((times) => {
        for (let i = 0; i < times; i++)
          memory.sysFree(memory.sysReserve(EMPTY_ADDRESSES[i % 8] as number, GiB), GiB, null)
      }),
      bare: looped((times) => {
        for (let i = 0; i < times; i++)
          libc.munmap(libc.mmap(EMPTY_ADDRESSES[i % 8] as number, GiB, PROT_NONE, ANONYMOUS, -1, 0), GiB)
      }),
    }
    return compare(settings, 'reserve + free of 1 GiB', 'reserve-free', 60, ways, {
      c: { kind: 'most', value: 1.35 },
      bare: { kind: 'most', value: 250 },
    })
  },
}

const unusedUsed: Benchmark = {
  name: 'unused-used',
  says: 'sysUnused and sysUsed of 64 KiB that nothing has touched',
  async run(settings) {
    const { memory, address } = readyRange(openMemory(), 64 * MiB)
    const v = address + SMALL_BYTES
    const ways = {
      memlayer: looped((times) => {
        for (let i = 0; i < times; i++) {
          memory.sysUnused(v, SMALL_BYTES)
          memory.sysUsed(v, SMALL_BYTES)
        }
      }),
      bare: looped((times) => {
        for (let i = 0; i < times; i++) {
          libc.madvise(v - (v % HUGE_PAGE_BYTES), HUGE_PAGE_BYTES, MADV_NOHUGEPAGE)
          libc.madvise(v, SMALL_BYTES, MADV_DONTNEED)
        }
      }),
    }
    return compare(settings, 'unused + used of 64 KiB, untouched', 'unused-used', 200, ways, {
      c: { kind: 'most', value: 1.6 },
      bare: { kind: 'most', value: 300 },
    })
  },
}

const touch: Benchmark = {
  name: 'touch',
  says: 'sysUnused, sysUsed, a new view, and a first touch of each of 16 pages',
  async run(settings) {
    const { memory, address } = readyRange(openMemory(), 64 * MiB)
    const page = memory.os.traits.pageSize
    const v = address + SMALL_BYTES
    const raw = new Uint8Array(memory.os.view(v, SMALL_BYTES))
    const ways = {
      memlayer: looped((times) => {
        for (let i = 0; i < times; i++) {
          memory.sysUnused(v, SMALL_BYTES)
          memory.sysUsed(v, SMALL_BYTES)
          const view = memory.view(Uint8Array, v, SMALL_BYTES)
          for (let at = 0; at < SMALL_BYTES; at += page) view[at] = 1
        }
      }),
      bare: looped((times) => {
        for (let i = 0; i < times; i++) {
          libc.madvise(v - (v % HUGE_PAGE_BYTES), HUGE_PAGE_BYTES, MADV_NOHUGEPAGE)
          libc.madvise(v, SMALL_BYTES, MADV_DONTNEED)
          for (let at = 0; at < SMALL_BYTES; at += page) raw[at] = 1
        }
      }),
    }
    // A program with foreign calls must make a new view and detach it, to give the same guarantee.
    const viewed = looped((times) => {
      for (let i = 0; i < times; i++) {
        libc.madvise(v - (v % HUGE_PAGE_BYTES), HUGE_PAGE_BYTES, MADV_NOHUGEPAGE)
        libc.madvise(v, SMALL_BYTES, MADV_DONTNEED)
        const bytes = new Uint8Array(libc.view(v, SMALL_BYTES))
        for (let at = 0; at < SMALL_BYTES; at += page) bytes[at] = 1
        transfer.call(bytes.buffer, 0)
      }
    })
    const work = 'unused + used + touch of 16 pages'
    const series = await withFloor(settings, 'touch', async (c) =>
      takeTurns<'memlayer' | 'bare' | 'viewed' | 'c'>(
        { ...ways, viewed, c },
        rounds(settings, { rounds: 400, warmUp: 60, times: 20 }),
      ),
    )
    return [
      besideC(work, series, { kind: 'most', value: 1.1 }),
      besideBare(work, series),
      {
        ...besideBare(work, { memlayer: series.memlayer, bare: series.viewed }),
        beside: 'bare foreign calls, a view each time',
      },
    ]
  },
}

const view: Benchmark = {
  name: 'view',
  says: 'a view made, and detached as its pages leave Ready',
  async run(settings) {
    const { memory, address } = readyRange(openMemory(), 64 * MiB)
    const v = address + SMALL_BYTES
    const ways = {
      // sysUnused and sysUsed are part of this work. The line 'unused + used' shows their own cost.
      memlayer: looped((times) => {
        for (let i = 0; i < times; i++) {
          memory.view(Uint8Array, v, SMALL_BYTES)
          memory.sysUnused(v, SMALL_BYTES)
          memory.sysUsed(v, SMALL_BYTES)
        }
      }),
      bare: looped((times) => {
        for (let i = 0; i < times; i++) {
          const bytes = new Uint8Array(libc.view(v, SMALL_BYTES))
          transfer.call(bytes.buffer, 0)
          libc.madvise(v - (v % HUGE_PAGE_BYTES), HUGE_PAGE_BYTES, MADV_NOHUGEPAGE)
          libc.madvise(v, SMALL_BYTES, MADV_DONTNEED)
        }
      }),
    }
    const series = await takeTurns(ways, rounds(settings, { rounds: 400, warmUp: 60, times: 40 }))
    return [besideBare('a view made and detached, unused + used', series)]
  },
}

export const calls: readonly Benchmark[] = [touch, allocFree, reserveFree, unusedUsed, view]

// What programs do with views: a scan of small records, a reset under a kept view, an append-only index that is viewed
// as a whole, growth with a view of all at each step, and an operation beside many views and holds of other pages.
// A million live objects make each full garbage collection cost what it costs in a program.
import { GrowableBuffer } from '@memlayer/core'
import { collect, rounds, type Benchmark, type Settings } from '../benchmark.js'
import type { Comparison } from '../comparison.js'
import { bareLibc, GiB, KiB, MADV_DONTNEED, MiB, openMemory } from '../layer.js'
import { looped, ratio, spread, takeTurns, type Contender } from '../measure.js'

const recordBytes = 200
const appendBytes = 512

/** Objects that live as long as the benchmark. */
function liveObjects({ quick }: Settings): object[] {
  return Array.from({ length: quick ? 1000 : 1_000_000 }, (_, i) => ({ i, of: [i] }))
}

interface Work {
  readonly work: string
  readonly beside: string
  readonly most: number
  readonly ours: readonly number[]
  readonly theirs: readonly number[]
}

function line({ work, beside, most, ours, theirs }: Work): Comparison {
  return {
    work,
    unit: 'ns',
    ours: spread(ours),
    beside,
    theirs: spread(theirs),
    measure: 'times',
    result: ratio(ours, theirs),
    goal: { kind: 'most', value: most },
  }
}

/** A view for each record, in order. The event loop turns between batches. */
function scan(size: number): Contender {
  const region = openMemory().reserve(size, { hugePages: 'off' })
  region.commit()
  let [at, sum] = [0, 0]
  return looped((times) => {
    for (let i = 0; i < times; i++) {
      if (at + recordBytes > size) at = 0
      sum += region.view(Uint8Array, at, recordBytes)[0] as number
      at += recordBytes
    }
    if (Number.isNaN(sum)) throw new Error('a record was not read')
  })
}

function allocations(): Contender {
  let sum = 0
  return looped((times) => {
    for (let i = 0; i < times; i++) sum += new Uint8Array(recordBytes)[0] as number
    if (sum !== 0) throw new Error('a new array is not zero')
  })
}

export const scans: Benchmark = {
  name: 'scan',
  says: 'a view of 200 bytes for each record, in order',
  async run(settings) {
    const ways = { memlayer: scan(settings.quick ? MiB : 64 * MiB), engine: allocations() }
    const turns = { memlayer: turning(ways.memlayer), engine: turning(ways.engine) }
    const series = await takeTurns(turns, rounds(settings, { rounds: 200, warmUp: 50, times: 1000 }))
    const work = 'a view of 200 bytes, the loop turning each thousand'
    return [line({ work, beside: 'new Uint8Array(200)', most: 2, ours: series.memlayer, theirs: series.engine })]
  },
}

/** The job ends with a batch, and its time is the batch's. */
function turning({ batch }: Contender): Contender {
  return {
    async batch(times) {
      const ns = await batch(times)
      const start = performance.now()
      await new Promise((resolve) => void setImmediate(resolve))
      return ns + (performance.now() - start) * 1e6
    },
  }
}

export const reset: Benchmark = {
  name: 'reset',
  says: 'a large range zeroed under a view that is kept',
  async run(settings) {
    const size = settings.quick ? MiB : 4 * GiB
    const objects = liveObjects(settings)
    const { madvise } = bareLibc()
    const region = openMemory().reserve(size, { hugePages: 'off' })
    for (let at = 0; at < size; at += Math.min(size, GiB)) region.commit(at, Math.min(size, GiB))
    const view = region.view(Uint8Array)
    const touched = (zero: () => void): Contender => ({
      batch(times) {
        let ms = 0
        for (let i = 0; i < times; i++) {
          for (let at = 0; at < MiB; at += 64 * KiB) view[at] = 1
          const start = performance.now()
          zero()
          ms += performance.now() - start
        }
        return ms * 1e6
      },
    })
    const ways = {
      memlayer: touched(() => region.zero()),
      bare: touched(() => void madvise(region.address, size, MADV_DONTNEED)),
    }
    const series = await takeTurns(ways, rounds(settings, { rounds: 50, warmUp: 10, times: 20 }))
    if (view[0] !== 0 || objects.length === 0) throw new Error('the range was not zeroed')
    const work = 'zero of 4 GiB under a kept view, 16 pages touched, a million live objects'
    return [line({ work, beside: 'bare madvise', most: 1.3, ours: series.memlayer, theirs: series.bare })]
  },
}

/** Appends to a buffer of `size` bytes, and views all of it each time. */
function appending(size: number): Contender {
  const buffer = new GrowableBuffer(openMemory(), { maximum: 8 * size, length: size, hugePages: 'off' })
  return looped((times) => {
    for (let i = 0; i < times; i++) {
      buffer.grow(appendBytes)
      const view = buffer.view(Float32Array)
      view[view.length - 1] = i
    }
  })
}

function resizing(size: number): Contender {
  const buffer = new ArrayBuffer(size, { maxByteLength: 8 * size })
  const view = new Float32Array(buffer)
  return looped((times) => {
    for (let i = 0; i < times; i++) {
      buffer.resize(buffer.byteLength + appendBytes)
      view[view.length - 1] = i
    }
  })
}

export const append: Benchmark = {
  name: 'append',
  says: 'appends of 512 bytes to 1 GiB, with a view of all after each',
  async run(settings) {
    const size = settings.quick ? 16 * MiB : GiB
    const objects = liveObjects(settings)
    const ways = { memlayer: appending(size), resizable: resizing(size) }
    const series = await takeTurns(ways, rounds(settings, { rounds: 40, warmUp: 10, times: 1000 }))
    if (objects.length === 0) throw new Error('there are no objects')
    const work = 'append 512 bytes to 1 GiB and view all of it, a million live objects'
    return [line({ work, beside: 'resizable ArrayBuffer', most: 2, ours: series.memlayer, theirs: series.resizable })]
  },
}

/** Grows by steps, with a view of all at each of them. */
function growing(
  size: number,
  step: number,
  open: () => [grow: (length: number) => Uint8Array, free: () => void],
): Contender {
  return {
    batch() {
      collect()
      const start = performance.now()
      const [grow, free] = open()
      for (let length = step; length <= size; length += step) grow(length)[length - 1] = 1
      const ns = (performance.now() - start) * 1e6
      free()
      return ns
    },
  }
}

export const viewedGrowth: Benchmark = {
  name: 'viewed growth',
  says: 'growth to 512 MiB by 4 MiB, viewing all of it at each step',
  flags: ['--expose-gc'],
  async run(settings) {
    const [size, step] = settings.quick ? [4 * MiB, MiB] : [512 * MiB, 4 * MiB]
    const objects = liveObjects(settings)
    const memory = openMemory()
    const ways = {
      memlayer: growing(size, step, () => {
        const buffer = new GrowableBuffer(memory, { maximum: size, hugePages: 'off' })
        const grow = (length: number): Uint8Array => {
          buffer.resize(length)
          return buffer.bytes()
        }
        return [grow, () => buffer.free()]
      }),
      resizable: growing(size, step, () => {
        const buffer = new ArrayBuffer(0, { maxByteLength: size })
        const grow = (length: number): Uint8Array => {
          buffer.resize(length)
          return new Uint8Array(buffer)
        }
        return [grow, () => buffer.resize(0)]
      }),
    }
    const series = await takeTurns(ways, rounds(settings, { rounds: 10, warmUp: 2, times: 1 }))
    if (objects.length === 0) throw new Error('there are no objects')
    const work = 'growth to 512 MiB by 4 MiB, all of it viewed at each step, a million live objects'
    return [line({ work, beside: 'resizable ArrayBuffer', most: 1, ours: series.memlayer, theirs: series.resizable })]
  },
}

/** sysUnused and sysUsed of a page, beside what `make` makes on other pages of the same 64 KiB. */
function besideOthers(
  count: number,
  make: (region: ReturnType<ReturnType<typeof openMemory>['reserve']>) => object,
): Contender {
  const region = openMemory().reserve(64 * KiB, { hugePages: 'off' })
  region.commit()
  const page = 4 * KiB
  const others = Array.from({ length: count }, () => make(region))
  return looped((times) => {
    for (let i = 0; i < times; i++) {
      region.unused(8 * page, page)
      region.used(8 * page, page)
    }
    if (others.length !== count) throw new Error('the others are gone')
  })
}

export const beside: Benchmark = {
  name: 'beside',
  says: 'unused and used of a page beside many views and holds of other pages',
  async run(settings) {
    const [views, holds] = settings.quick ? [100, 100] : [64_000, 40_000]
    const ways = {
      none: besideOthers(0, () => ({})),
      views: besideOthers(views, (region) => region.view(Uint8Array, 0, 8)),
      holds: besideOthers(holds, (region) => region.hold(0, 8)),
    }
    const series = await takeTurns(ways, rounds(settings, { rounds: 60, warmUp: 20, times: 1000 }))
    const to = { beside: 'without', most: 1.5, theirs: series.none }
    return [
      line({ ...to, work: 'unused + used of a page beside 64,000 views of another page', ours: series.views }),
      line({ ...to, work: 'unused + used of a page beside 40,000 holds of another page', ours: series.holds }),
    ]
  },
}

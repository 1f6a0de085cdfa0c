// Memory that the engine owns beside os-linux's: the same work on the same kernel.
import { createMemory, GrowableBuffer, type Memory } from '@memlayer/core'
import { createOS } from '@memlayer/os-engine'
import { rounds, type Benchmark, type Settings } from '../benchmark.js'
import type { Comparison } from '../comparison.js'
import { GiB, KiB, MiB, openMemory, readyRange } from '../layer.js'
import { looped, ratio, spread, takeTurns, type Contender, type Rounds } from '../measure.js'

/** What a work does in one memory. */
type Way = (memory: Memory) => Contender

interface Work {
  readonly work: string
  readonly way: Way
  readonly full: Rounds
  /** Whether a million objects live meanwhile. */
  readonly amidObjects?: boolean
}

const many: Rounds = { rounds: 15, warmUp: 3, times: 2000 }
const some: Rounds = { rounds: 15, warmUp: 3, times: 20 }
const few: Rounds = { rounds: 7, warmUp: 1, times: 3 }

/** Makes views of one region. */
const views =
  (bytes: number): Way =>
  (memory) => {
    const region = memory.reserve(bytes, { name: 'views' })
    region.commit()
    return looped((times) => {
      for (let i = 0; i < times; i++) if (region.view(Uint8Array, 0, bytes).length !== bytes) throw new Error('short')
    })
  }

const giveBack: Way = (memory) => {
  const { address, memory: ops } = readyRange(memory, 64 * MiB)
  const n = 64 * KiB
  return looped((times) => {
    for (let i = 0; i < times; i++) {
      ops.sysUnused(address + n, n)
      ops.sysUsed(address + n, n)
      const bytes = ops.view(Uint8Array, address + n, n)
      for (let at = 0; at < n; at += 4 * KiB) bytes[at] = 1
    }
  })
}

const reserve: Way = (memory) =>
  looped((times) => {
    for (let i = 0; i < times; i++) memory.sysFree(memory.sysReserve(null, GiB), GiB, null)
  })

/** Gives pages of a region back and takes them again, without a touch. */
const commitUnused: Way = (memory) => {
  const region = memory.reserve(64 * MiB, { name: 'decommitted' })
  region.commit()
  return looped((times) => {
    for (let i = 0; i < times; i++) {
      region.unused(MiB, 64 * KiB)
      region.commit(MiB, 64 * KiB)
    }
  })
}

/** The life of a region: all of it is viewed, and one page is written. */
const lives: Way = (memory) =>
  looped((times) => {
    for (let i = 0; i < times; i++) {
      const region = memory.reserve(64 * MiB, { name: 'short' })
      region.commit()
      region.view(Uint8Array)[5] = 1
      region.free()
    }
  })

const append: Way = (memory) => {
  const buffer = new GrowableBuffer(memory, { maximum: GiB, length: GiB - MiB })
  return looped((times) => {
    for (let i = 0; i < times; i++) {
      buffer.grow(64)
      if (buffer.bytes().length !== buffer.length) throw new Error('the view is not of all bytes')
    }
  })
}

const inOrder =
  (isWrite: boolean): Way =>
  (memory) => {
    const region = memory.reserve(64 * MiB, { name: 'elements' })
    region.commit()
    const elements = region.view(Int32Array, 0, 16 * MiB).fill(1)
    return looped((times) => {
      for (let i = 0; i < times; i++) {
        let sum = 0
        if (isWrite) for (let at = 0; at < elements.length; at++) elements[at] = at
        else for (let at = 0; at < elements.length; at++) sum = (sum + (elements[at] as number)) | 0
        if (!isWrite && sum === 5) throw new Error('a sum that can not be')
      }
    })
  }

const works: readonly Work[] = [
  { work: 'a view of 64 KiB', way: views(64 * KiB), full: many },
  { work: 'a view of 1 GiB, a million live objects', way: views(GiB), full: few, amidObjects: true },
  { work: 'append, and view all of 1 GiB, a million live objects', way: append, full: few, amidObjects: true },
  { work: 'a region of 64 MiB, viewed and freed, a million live objects', way: lives, full: some, amidObjects: true },
  { work: 'unused + commit of 64 KiB, a million live objects', way: commitUnused, full: many, amidObjects: true },
  { work: 'unused + used + touch of 16 pages, by a view', way: giveBack, full: many },
  {
    work: 'unused + used + touch of 16 pages, by a view, a million live objects',
    way: giveBack,
    full: many,
    amidObjects: true,
  },
  { work: 'reserve + free of 1 GiB', way: reserve, full: many },
  { work: 'reading 64 MiB in order', way: inOrder(false), full: few },
  { work: 'writing 64 MiB in order', way: inOrder(true), full: few },
]

async function lineOf({ work, way, full, amidObjects = false }: Work, settings: Settings): Promise<Comparison> {
  const objects = amidObjects ? Array.from({ length: settings.quick ? 1000 : 1e6 }, (_, i) => ({ i })) : []
  const contenders = { engine: way(createMemory(createOS())), linux: way(openMemory()) }
  const { engine, linux } = await takeTurns(contenders, rounds(settings, full))
  if (amidObjects && objects.length === 0) throw new Error('the objects are gone')
  return {
    work,
    unit: 'ns',
    ours: spread(engine),
    beside: 'os-linux',
    theirs: spread(linux),
    measure: 'times',
    result: ratio(engine, linux),
  }
}

export const engineOwned: Benchmark = {
  name: 'engine-owned',
  says: 'memory that the engine owns (os-engine) beside os-linux, in the same work',
  async run(settings: Settings) {
    const lines: Comparison[] = []
    for (const work of works) lines.push(await lineOf(work, settings))
    return lines
  },
}

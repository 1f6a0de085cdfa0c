// How the memories of a process share its kernel mappings, to the mapping: what each may spend before it counts, what
// it takes of a count, what it takes back of others, and what is left to the heaps of all threads.
import { describe, expect, it } from 'vitest'
import type { Use } from '@memlayer/kernel'
import { PREPARED, RESERVED, type Packed } from '../src/ledger/states.js'
import { MappingBudget } from '../src/mappings/mapping-budget.js'
import { CREDITS, POOL, STANDING } from '../src/process/layout.js'
import { ProcessRecord } from '../src/process/record.js'
import { errorOf } from './errors-of.js'
import { Process } from './simulated-process.js'

const page = 4096
const limit = 65_530
/** What the layer leaves to an engine whose heap is not known. */
const left = 1024
const MiB = 2 ** 20

/** A process, as the kernel counts it. */
class Host {
  readonly process = new Process()
  use: Use | undefined = { used: 200, limit }
  looks = 0
  /** What the heap of every thread may still grow by. */
  heap: { used: number; limit: number } | undefined
  /** Huge pages that are mapped, and how often that was asked. */
  hugePages = 0
  asked = 0
  /** Whether something can be given back for its mappings, and how often that was asked for. */
  relieves = false
  reliefs = 0
  isInside = false

  /** A memory of a thread. `thread` 0: in a process that knows nothing of its threads. */
  memory(thread = 0, { engineHeap = undefined as number | undefined, unusedTraps = false } = {}) {
    const record = thread === 0 ? null : ProcessRecord.enter(this.process.of(thread), () => [])
    const os = {
      traits: { unusedTraps, pageSize: page, hugePageSize: 4 * page },
      host: {
        mappings: () => {
          this.looks += 1
          return this.use
        },
        ...(this.heap === undefined ? {} : { heap: () => this.heap }),
      },
    }
    const ledger = {
      isInside: () => this.isInside,
      hugePagesMapped: () => {
        this.asked += 1
        return this.hugePages
      },
    }
    const relieve = (): boolean => {
      this.reliefs += 1
      return this.relieves
    }
    const hugePages = { inUse: false }
    const given = engineHeap === undefined ? {} : { engineHeap }
    const budget = new MappingBudget(os as never, ledger as never, hugePages as never, relieve, record, given)
    const word = (place: number): number => this.process.words[(record?.at ?? 0) + place] as number
    return { budget, hugePages, word }
  }

  get pool(): number {
    return this.process.words[POOL] as number
  }

  /** How often `run` goes on before the process is counted. */
  before(run: () => void): number {
    const { looks } = this
    for (let times = 0; times < 100_000; times++) {
      run()
      if (this.looks > looks) return times
    }
    return Infinity
  }
}

describe('a memory before the first count', () => {
  it('may spend 1024 mappings when it is the first of its process, and 32 when it is not', () => {
    for (const [which, operations] of [
      [0, 512],
      [1, 16],
    ] as const) {
      const host = new Host()
      const { budget } = [host.memory(1), host.memory(2)][which] as ReturnType<Host['memory']>
      expect(host.before(() => budget.cut('sysFault', page))).toBe(operations)
    }
  })

  it('pays for each operation by what it can cut', () => {
    const count = (run: (budget: MappingBudget) => void, options = {}): number => {
      const host = new Host()
      const { budget } = host.memory(1, options)
      return host.before(() => run(budget))
    }
    const cuts = { unusedTraps: true }
    expect(count((budget) => budget.cut('sysMap', page, 4))).toBe(1024 / 8)
    expect(count((budget) => budget.advise('sysHugePage', page, RESERVED as Packed))).toBe(1024 / 2)
    expect(count((budget) => budget.unused('sysUnused', page), cuts)).toBe(Math.floor(1024 / 6))
    expect(count((budget) => budget.unused('sysUnusedAll', page, 3), cuts)).toBe(Math.floor(1024 / 18))
    expect(count((budget) => budget.used('sysUsed', page), cuts)).toBe(Math.floor(1024 / 6))
    expect(count((budget) => void budget.hasRoom())).toBe(1024 / 2)
  })

  it('pays four mappings for advice on what is mapped, of which the first has 1024 as well', () => {
    const count = (run: (budget: MappingBudget) => void): number => {
      const host = new Host()
      host.hugePages = 10_000
      const { budget } = host.memory(1)
      return host.before(() => run(budget))
    }
    expect(count((budget) => budget.advise('sysHugePage', page, PREPARED as Packed))).toBe(1024 / 4)
    expect(count((budget) => budget.unused('sysUnused', page))).toBe(1024 / 4)
    expect(count((budget) => budget.unused('sysUnusedAll', page, 2))).toBe(1024 / 8)
    expect(count((budget) => budget.used('sysUsed', page))).toBe(1024 / 4)
  })

  it('pays for a cut where a policy about huge pages is in use', () => {
    const host = new Host()
    const { budget, hugePages } = host.memory(1)
    hugePages.inUse = true
    expect(host.before(() => budget.used('sysUsed', page))).toBe(Math.floor(1024 / 6))
  })
})

describe('a free', () => {
  it('costs nothing of what was obtained last, as a whole, and gives back what that cost', () => {
    const host = new Host()
    const { budget, word } = host.memory(1)
    budget.cut('sysAlloc', page)
    budget.obtained(8 * page, 2 * page)
    const before = word(CREDITS)
    budget.free(8 * page, 2 * page)
    budget.freed(8 * page, 2 * page)
    expect(word(CREDITS)).toBe(before + 2)
    budget.free(8 * page, 2 * page)
    expect(word(CREDITS)).toBe(before)
  })

  it.each([
    ['a part of it', 8 * page, page],
    ['as much elsewhere', 10 * page, 2 * page],
  ])('costs two mappings of %s', (_, v, n) => {
    const { budget, word } = new Host().memory(1)
    budget.obtained(8 * page, 2 * page)
    budget.free(v, n)
    budget.freed(v, n)
    expect(word(CREDITS)).toBe(1024 - 2)
  })

  it('is refused at the limit from the middle of a mapping alone', () => {
    const host = new Host()
    host.use = { used: limit, limit }
    const { budget } = host.memory(1)
    for (let i = 0; i < 600; i++) budget.free(i * page, page)
    host.isInside = true
    const error = errorOf(() => budget.free(page, page))
    expect(error).toMatchObject({ op: 'sysFree', size: page })
    expect(error.message).toContain(`the process has ${limit} of ${limit} kernel mappings`)
  })
})

describe('a count', () => {
  it('gives an eighth of what is free to the memory that counts, 4096 at most, and the rest to later ones', () => {
    const host = new Host()
    const { budget, word } = host.memory(1)
    // The memory has promised 1024 for advice, and spent the others.
    for (const [used, free] of [
      [limit - left - 1024 - 2000, 2000],
      [limit - left - 1024 - 20_000, 8192],
    ] as const) {
      host.use = { used, limit }
      host.process.words[POOL] = 0
      host.before(() => budget.cut('sysFault', page))
      const taken = Math.min(4096, Math.floor(free / 8))
      expect([host.pool, word(CREDITS)]).toEqual([free - taken, taken - 2])
    }
    host.use = { used: 10, limit: 2 ** 20 }
    host.process.words[POOL] = 0
    host.before(() => budget.cut('sysFault', page))
    const free = 2 ** 20 - 10 - left - 1024
    expect([host.pool, word(CREDITS)]).toEqual([Math.floor(free / 8) - 4096, 4096 - 2])
  })

  it('serves other memories until the pool is empty', () => {
    const host = new Host()
    const all = [1, 2, 3].map((thread) => host.memory(thread).budget)
    for (const budget of all) for (let i = 0; i < 513; i++) budget.cut('sysFault', page)
    expect(host.looks).toBe(1)
  })

  it('leaves out what others have taken and not spent', () => {
    const host = new Host()
    const [first, second] = [host.memory(1), host.memory(2)]
    first.budget.cut('sysFault', page)
    host.use = { used: limit - left - 10_000, limit }
    host.before(() => second.budget.cut('sysFault', page))
    // 1022 and 1024 are the first's, and 32 for advice the second's.
    const free = 10_000 - 1022 - 1024 - 32
    expect([host.pool, second.word(CREDITS)]).toEqual([free - Math.floor(free / 8), Math.floor(free / 8) - 2])
  })

  it('takes back at the limit what others have not spent, and they notice', () => {
    const host = new Host()
    const [first, second] = [host.memory(1), host.memory(2)]
    host.use = { used: limit - left - 100, limit }
    host.before(() => second.budget.cut('sysFault', page))
    expect([first.word(CREDITS), first.word(STANDING), second.word(STANDING)]).toEqual([0, 0, 0])
    host.process.words[POOL] = 0
    host.use = { used: limit - left - 1, limit }
    host.hugePages = 100
    expect(errorOf(() => first.budget.cut('sysFault', page)).message).toContain('kernel mappings')
    expect(errorOf(() => first.budget.used('sysUsed', page) as never).message).toContain('kernel mappings')
  })

  it('finds what threads that have ended left mapped, because that is given back first', () => {
    const host = new Host()
    const { budget } = host.memory(1)
    const ended = ProcessRecord.enter(host.process.of(2), () => []) as ProcessRecord
    ended.log.add(10 * page, page)
    host.process.alive.delete(2)
    host.before(() => budget.cut('sysFault', page))
    expect(host.process.unmapped).toEqual(['10+1'])
  })

  it('is made once more where something could be given back, and refuses where nothing could', () => {
    const host = new Host()
    const { budget } = host.memory(1)
    host.use = { used: limit, limit }
    host.relieves = true
    for (let i = 0; i < 512; i++) budget.cut('sysFault', page)
    expect([errorOf(() => budget.cut('sysFault', page)).size, host.looks, host.reliefs]).toEqual([page, 2, 1])
    host.relieves = false
    expect([budget.hasRoom(), host.looks, host.reliefs]).toEqual([false, 3, 2])
    host.use = { used: 200, limit }
    expect([budget.hasRoom(), host.reliefs]).toEqual([true, 2])
  })

  it.each([
    ['what is used', { used: NaN, limit }],
    ['the limit', { used: 5, limit: NaN }],
  ])('that does not tell %s refuses nothing, and is made again after 4096 mappings', (_, use) => {
    const host = new Host()
    host.use = use
    host.hugePages = 10_000
    const { budget } = host.memory(1)
    host.before(() => budget.cut('sysFault', page))
    // The operation that counted has spent nothing of them.
    expect(host.before(() => budget.cut('sysFault', page))).toBe(2048)
    expect(host.before(() => budget.used('sysUsed', page))).toBe(2048)
  })

  it('is not made again where the host has no limit', () => {
    const host = new Host()
    host.use = undefined
    const { budget } = host.memory(1)
    host.before(() => budget.cut('sysFault', page))
    const others = [() => budget.cut('sysFault', page), () => budget.used('sysUsed', page), () => budget.mapped()]
    expect(host.before(() => others.forEach((run) => run()))).toBe(Infinity)
  })
})

describe('advice', () => {
  it('costs two mappings for each huge page that is mapped at most, and is asked for no more then', () => {
    const host = new Host()
    host.use = { used: 200, limit: 2 ** 20 }
    host.hugePages = 100
    const { budget, word } = host.memory(1)
    for (let i = 0; i < 50_000; i++) budget.used('sysUsed', page)
    expect([word(STANDING), host.asked, host.looks]).toEqual([1024, 1, 0])
    host.hugePages = 1000
    budget.mapped()
    for (let i = 0; i < 50_000; i++) budget.used('sysUsed', page)
    // After memory was mapped, it looks again after 2048.
    expect([word(STANDING), host.asked, host.looks]).toEqual([2000, 2, 1])
  })

  it('on no huge page promises next to nothing', () => {
    const host = new Host()
    const [first, second] = [host.memory(1), host.memory(2)]
    host.use = { used: limit - left - 100, limit }
    host.before(() => second.budget.cut('sysFault', page))
    first.budget.used('sysUsed', page)
    expect(first.word(STANDING)).toBe(1)
  })

  it('is bounded by what was taken for it, where that is less than all of it', () => {
    const host = new Host()
    host.hugePages = 30_000
    host.use = { used: limit - left - 1024 - 8000, limit }
    const { budget, word } = host.memory(1)
    host.before(() => budget.used('sysUsed', page))
    const taken = word(STANDING)
    expect(taken).toBe(Math.floor(8000 / 8))
    expect(host.asked).toBe(1)
    for (let i = 1; i < taken / 4; i++) budget.used('sysUsed', page)
    expect(host.asked).toBe(1)
    budget.used('sysUsed', page)
    expect(host.asked).toBe(2)
  })
})

describe('what is left to the engine', () => {
  const growing = { used: 0, limit: 256 * MiB }
  /** Mappings that such a heap may need. */
  const ofHeap = 256 * 9

  /** The most mappings that a process may have for the next cut to pass. */
  function mostFor(host: Host, budget: MappingBudget): number {
    let [passes, refuses] = [0, limit]
    while (passes + 1 < refuses) {
      const used = Math.floor((passes + refuses) / 2)
      host.use = { used, limit }
      host.process.words.fill(0, POOL, POOL + 1)
      let isRefused = false
      for (let i = 0; i < 5000 && !isRefused; i++) {
        try {
          budget.cut('sysFault', page, 1000)
          isRefused = false
        } catch {
          isRefused = true
        }
        host.process.words[POOL] = 0
      }
      if (isRefused) refuses = used
      else passes = used
    }
    return passes
  }

  it('is what its heap may need and an eighth of the limit for heaps that come later', () => {
    const host = new Host()
    host.heap = growing
    const { budget } = host.memory(1)
    expect(limit - mostFor(host, budget)).toBe(Math.floor(limit / 8 + ofHeap) + 2000)
  })

  it('is that of each thread once, however many memories it has', () => {
    const host = new Host()
    host.heap = growing
    const [first, ...others] = [1, 1, 2].map((thread) => host.memory(thread).budget)
    for (const other of others) host.before(() => other.cut('sysFault', page))
    expect(limit - mostFor(host, first as MappingBudget)).toBe(Math.floor(limit / 8 + 2 * ofHeap) + 2000)
  })

  it('is what the option says, for all heaps', () => {
    const host = new Host()
    host.heap = growing
    const { budget } = host.memory(1, { engineHeap: 512 * MiB })
    expect(limit - mostFor(host, budget)).toBe(2 * ofHeap + 2000)
  })
})

// Tests giving back many ranges at once. Core checks them all first, and a wrong range stops all of them.
import { Worker } from 'node:worker_threads'
import { createMemory, FatalError, UsageError, type Memory, type ShareToken } from '@memlayer/core'
import { afterAll, describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { PageOS } from './page-os.js'

const page = 4096

function ready(pages: number): { os: PageOS; memory: Memory; v: number } {
  const os = new PageOS()
  const memory = createMemory(os)
  return { os, memory, v: memory.sysAlloc(pages * page, memory.stat('heap')) }
}

const workers: Worker[] = []
afterAll(() => Promise.all(workers.map((worker) => worker.terminate())))

/** A worker that does nothing. */
function idleWorker(): Worker {
  const worker = new Worker('setInterval(() => {}, 1000)', { eval: true })
  workers.push(worker)
  return worker
}

describe('sysUnusedAll', () => {
  it('gives each range back, and makes an event for each', () => {
    const { os, memory, v } = ready(8)
    const heard: unknown[] = []
    memory.observe(({ op, address, size, category }) => heard.push([op, address, size, category]))
    memory.sysUnusedAll([v, page, v + 2 * page, 2 * page, v + 6 * page, 0, v + 7 * page, page])
    expect(os.calls.slice(1)).toEqual([
      `sysUnusedOS(0x${v.toString(16)}, ${page})`,
      `sysUnusedOS(0x${(v + 2 * page).toString(16)}, ${2 * page})`,
      `sysUnusedOS(0x${(v + 7 * page).toString(16)}, ${page})`,
    ])
    expect(heard).toEqual([
      ['sysUnused', v, page, 'heap'],
      ['sysUnused', v + 2 * page, 2 * page, 'heap'],
      ['sysUnused', v + 7 * page, page, 'heap'],
    ])
    expect(memory.stats().total).toMatchObject({ ready: 4 * page, prepared: 4 * page, calls: 4 })
    memory.check()
  })

  it('accepts any list of numbers, and an empty one', () => {
    const { os, memory, v } = ready(2)
    memory.sysUnusedAll([])
    memory.sysUnusedAll(new Float64Array(0))
    expect(os.calls).toHaveLength(1)
    memory.sysUnusedAll(new Float64Array([v, page]))
    memory.sysUnusedAll({ 0: v + page, 1: page, length: 2 })
    expect(memory.stats().total.prepared).toBe(2 * page)
  })

  it.each([
    ['a page twice', (v: number) => [v, 2 * page, v + page, page], 'ERR_MEMLAYER_STATE'],
    ['a page that is not Ready', (v: number) => [v, page, v + 3 * page, page], 'ERR_MEMLAYER_STATE'],
    ['a page without an owner', (v: number) => [v, page, v + 4 * page, page], 'ERR_MEMLAYER_NOT_OWNED'],
    ['half a pair', (v: number) => [v, page, v + page], 'ERR_MEMLAYER_SIZE'],
    ['the size NaN', (v: number) => [v, page, v + page, NaN], 'ERR_MEMLAYER_SIZE'],
    ['a negative address', (v: number) => [v, page, -1, page], 'ERR_MEMLAYER_ADDRESS'],
    ['half a page', (v: number) => [v, page, v + page, page / 2], 'ERR_MEMLAYER_ALIGNMENT'],
    ['text', () => 'ranges', 'ERR_MEMLAYER_SIZE'],
    ['null', () => null, 'ERR_MEMLAYER_SIZE'],
  ] as [string, (v: number) => unknown, string][])('changes nothing if one range is wrong: %s', (_, ranges, code) => {
    const { os, memory, v } = ready(4)
    memory.sysUnused(v + 3 * page, page)
    const before = [memory.ranges(), memory.stats(), os.calls.length]
    const error = errorOf(() => memory.sysUnusedAll(ranges(v) as ArrayLike<number>))
    expect(error).toBeInstanceOf(UsageError)
    expect(error.code).toBe(code)
    expect([memory.ranges(), memory.stats(), os.calls.length]).toEqual(before)
    memory.check()
  })

  it('revokes no offer and detaches no view if one of the ranges is held', () => {
    const { memory, v } = ready(8)
    const region = memory.reserve(8 * page)
    region.commit(0, 8 * page)
    const worker = idleWorker()
    const offers = [region.share(worker, 0, page), region.share(worker, 4 * page, page)]
    const view = memory.view(Uint8Array, v, page)
    const word = (i: number): number => new Int32Array((offers[i] as ShareToken).hold)[0] as number
    using hold = region.hold(2 * page, page)
    const all = [v, page, region.address, page, region.address + 2 * page, page, region.address + 4 * page, page]
    expect(errorOf(() => memory.sysUnusedAll(all)).code).toBe('ERR_MEMLAYER_SHARED')
    expect(errorOf(() => region.free()).code).toBe('ERR_MEMLAYER_SHARED')
    expect([word(0), word(1), view.length, hold.released]).toEqual([0, 0, page, false])
    // An empty range has no effect at any address.
    memory.sysUnusedAll([region.address + 2 * page, 0])
    hold.release()
    memory.sysUnusedAll(all)
    expect([word(0), word(1), view.length]).toEqual([3, 3, 0])
    memory.check()
  })

  it('makes the events of all its ranges before the event of an observer’s own operation', () => {
    const { memory, v } = ready(4)
    const heard: string[] = []
    memory.observe(({ op, address }) => {
      if (heard.length === 0) memory.sysUsed(v + 2 * page, page)
      heard.push(`${op} ${((address as number) - v) / page}`)
    })
    memory.sysUnusedAll([v, page, v + 2 * page, page])
    expect(heard).toEqual(['sysUnused 0', 'sysUnused 2', 'sysUsed 2'])
    memory.check()
  })

  it('restores an offer that it revoked before a worker took up another one', () => {
    const { memory } = ready(1)
    const region = memory.reserve(8 * page)
    region.commit(0, 8 * page)
    const worker = idleWorker()
    const first = new Int32Array(region.share(worker, 0, page).hold)
    const second = new Int32Array(region.share(worker, page, page).hold)
    // The worker's thread acts between the read of the word and its change.
    const { load } = Atomics
    Atomics.load = ((words: Int32Array, i: number) => {
      const found = load(words, i)
      if (words.buffer === second.buffer) Atomics.compareExchange(words, 0, 0, 1)
      return found
    }) as typeof Atomics.load
    try {
      expect(errorOf(() => region.unused(0, 2 * page)).code).toBe('ERR_MEMLAYER_SHARED')
    } finally {
      Atomics.load = load
    }
    expect([first[0], second[0]]).toEqual([0, 1])
  })

  it('keeps the remaining ranges Ready when the OS breaks in the middle', () => {
    const { os, memory, v } = ready(6)
    os.fate = (_fn, k) => (k === 3 ? new FatalError('unaligned sysUnused') : undefined)
    const heard: unknown[] = []
    memory.observe(({ address, outcome }) => heard.push([address, outcome]))
    const error = errorOf(() => memory.sysUnusedAll([v, page, v + 2 * page, page, v + 4 * page, page]))
    expect(heard).toEqual([
      [v, 'done'],
      [v + 2 * page, 'broken'],
    ])
    expect(memory.stats().total.calls).toBe(3)
    expect(error).toBeInstanceOf(FatalError)
    expect(memory.ranges()).toEqual([
      { address: v, size: page, state: 'Prepared', category: 'heap' },
      { address: v + page, size: 5 * page, state: 'Ready', category: 'heap' },
    ])
    memory.check()
  })
})

describe('a region with a freed part', () => {
  it('keeps all remaining pages if some of them are held', () => {
    const { memory } = ready(1)
    const region = memory.reserve(8 * page)
    region.commit(0, 8 * page)
    region.free(2 * page, 2 * page)
    const hold = region.hold(6 * page, page)
    for (const free of [() => region.free(), () => region[Symbol.dispose]()])
      expect(errorOf(free).code).toBe('ERR_MEMLAYER_SHARED')
    expect(memory.stats().total.ready).toBe(7 * page)
    hold.release()
    region.free()
    expect([region.disposed, memory.stats().total.ready]).toEqual([true, page])
  })

  it('is freed completely, also when an observer frees a part of it meanwhile', () => {
    const { memory } = ready(1)
    const region = memory.reserve(8 * page)
    region.free(2 * page, page)
    region.free(5 * page, page)
    let told = 0
    memory.observe(() => {
      if ((told += 1) === 1) region.free(3 * page, 2 * page)
    })
    region.free()
    expect([region.disposed, told, memory.stats().total.reserved]).toEqual([true, 3, 0])
  })

  it('refuses a length that is not a number, also null', () => {
    const region = ready(1).memory.reserve(8 * page)
    for (const length of [null, '4096', {}, NaN])
      expect(errorOf(() => region.free(0, length as number)).code).toBe('ERR_MEMLAYER_RANGE')
    region.free(page)
    expect(region.disposed).toBe(false)
  })
})

// Tests that observers get an event for every operation that reached the kernel, in order, and don't disturb any.
import { createMemory, FatalError, UsageError, type Memory, type MemoryEvent } from '@memlayer/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { ENOMEM, PageOS } from './page-os.js'

const page = 4096

// These tests check unhandled rejections. The runner would treat those as its own failures.
const rejections: unknown[] = []
const keep = (reason: unknown): void => void rejections.push(reason)
let runners: NodeJS.UnhandledRejectionListener[] = []
beforeAll(() => {
  runners = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', keep)
})
afterAll(() => {
  process.off('unhandledRejection', keep)
  for (const listener of runners) process.on('unhandledRejection', listener)
})

/** Waits for the microtasks, after which the host reports rejections, and returns the rejections. */
async function rejected(): Promise<unknown[]> {
  await new Promise((done) => setImmediate(done))
  return rejections.splice(0)
}

function heardBy(memory: Memory): MemoryEvent[] {
  const heard: MemoryEvent[] = []
  memory.observe((event) => heard.push(event))
  return heard
}

describe('an observer', () => {
  it('gets an event for each operation, with its range and category', () => {
    const memory = createMemory(new PageOS({ base: 0x11000 }))
    const heap = memory.stat('heap')
    const heard = heardBy(memory)
    const a = memory.sysAlloc(page, heap)
    const v = memory.sysReserve(null, 4 * page)
    memory.sysMap(v, 2 * page, heap)
    memory.sysUsed(v, page)
    memory.sysUnused(v, page)
    memory.sysHugePage(v + 2 * page, page)
    memory.sysFault(v, page)
    const aligned = memory.sysReserveAligned(null, page, 16 * page)
    memory.sysFree(a, page, null)
    const done = { outcome: 'done' }
    expect(heard).toEqual([
      { op: 'sysAlloc', address: a, size: page, category: 'heap', ...done },
      { op: 'sysReserve', address: v, size: 4 * page, category: null, ...done },
      { op: 'sysMap', address: v, size: 2 * page, category: 'heap', ...done },
      { op: 'sysUsed', address: v, size: page, category: 'heap', ...done },
      { op: 'sysUnused', address: v, size: page, category: 'heap', ...done },
      { op: 'sysHugePage', address: v + 2 * page, size: page, category: null, ...done },
      { op: 'sysFault', address: v, size: page, category: 'heap', ...done },
      { op: 'sysReserveAligned', address: aligned.address, size: aligned.size, category: null, ...done },
      { op: 'sysFree', address: a, size: page, category: 'heap', ...done },
    ])
  })

  it('gets an event for refused and broken operations, with the caller’s error', () => {
    const os = new PageOS()
    const memory = createMemory(os)
    const heap = memory.stat('heap')
    const v = memory.sysReserve(null, page)
    const heard = heardBy(memory)
    os.fate = (fn) => (fn === 'sysMapOS' ? new FatalError('out of memory') : ENOMEM)
    const errors = [
      errorOf(() => memory.sysAlloc(page, heap)),
      errorOf(() => memory.sysReserve(v, page)),
      errorOf(() => memory.sysMap(v, page, heap)),
      errorOf(() => memory.sysFree(v, page, null)),
    ]
    expect(heard).toEqual([
      { op: 'sysAlloc', address: null, size: page, category: 'heap', outcome: 'refused', error: errors[0] },
      { op: 'sysReserve', address: v, size: page, category: null, outcome: 'refused', error: errors[1] },
      { op: 'sysMap', address: v, size: page, category: 'heap', outcome: 'broken', error: errors[2] },
      { op: 'sysFree', address: v, size: page, category: null, outcome: 'refused', error: errors[3] },
    ])
    heard.forEach(({ error }, i) => expect(error).toBe(errors[i]))
  })

  it('gets no event for a call that did not reach the kernel', () => {
    const memory = createMemory(new PageOS())
    const heard = heardBy(memory)
    errorOf(() => memory.sysAlloc(-1, null))
    errorOf(() => memory.sysUsed(page, page))
    memory.sysUsed(page, 0)
    memory.stat('heap')
    memory.check()
    expect(heard).toEqual([])
  })

  it('sees an account that already includes the finished operation, and no failed one', () => {
    const os = new PageOS()
    const memory = createMemory(os)
    const heap = memory.stat('heap')
    const held: number[] = []
    memory.observe(() => {
      memory.check()
      held.push(heap.load())
    })
    const v = memory.sysAlloc(2 * page, heap)
    os.fate = () => ENOMEM
    errorOf(() => memory.sysAlloc(page, heap))
    errorOf(() => memory.sysFree(v, 2 * page, heap))
    os.fate = undefined
    memory.sysFree(v, 2 * page, heap)
    expect(held).toEqual([2 * page, 2 * page, 2 * page, 0])
  })

  it('gets no event after its end, also when another observer ends it during an event', () => {
    const memory = createMemory(new PageOS())
    const heard: string[] = []
    memory.observe(({ op }) => {
      heard.push(`first ${op}`)
      if (op === 'sysReserve') end()
    })
    const end = memory.observe(({ op }) => heard.push(`second ${op}`))
    const v = memory.sysAlloc(page, null)
    memory.sysReserve(null, page)
    end()
    memory.sysFree(v, page, null)
    expect(heard).toEqual(['first sysAlloc', 'second sysAlloc', 'first sysReserve', 'first sysFree'])
  })

  it('may be registered twice, and each registration ends by itself', () => {
    const memory = createMemory(new PageOS())
    let heard = 0
    const observer = (): void => void (heard += 1)
    const ends = [memory.observe(observer), memory.observe(observer)]
    memory.sysReserve(null, page)
    ends[0]?.()
    ends[0]?.()
    memory.sysReserve(null, page)
    ends[1]?.()
    memory.sysReserve(null, page)
    expect(heard).toBe(3)
  })

  it('may operate on the memory, and all observers get the events in the order of the operations', () => {
    const os = new PageOS()
    const memory = createMemory(os)
    const heard: string[] = []
    memory.observe(({ op, address, size }) => {
      heard.push(`first ${op}`)
      if (op === 'sysReserve' && address !== null) memory.sysMap(address, size, memory.stat('heap'))
      if (op === 'sysMap' && address !== null) memory.sysUsed(address, size)
    })
    memory.observe(({ op }) => heard.push(`second ${op}`))
    const v = memory.sysReserve(null, page)
    expect(heard).toEqual([
      'first sysReserve',
      'second sysReserve',
      'first sysMap',
      'second sysMap',
      'first sysUsed',
      'second sysUsed',
    ])
    expect(memory.ranges()).toEqual([{ address: v, size: page, state: 'Ready', category: 'heap' }])
    memory.check()
  })

  it('that is added during an event gets only the events of later operations', () => {
    const memory = createMemory(new PageOS())
    const heard: string[] = []
    const stop = memory.observe(({ address }) => {
      stop()
      memory.sysFree(address as number, page, null)
      memory.observe(({ op }) => heard.push(op))
      memory.sysAlloc(page, null)
    })
    memory.sysReserve(null, page)
    expect(heard).toEqual(['sysAlloc'])
  })

  it('can free memory after a refusal, so that the caller’s next try succeeds', () => {
    const memory = createMemory(new PageOS({ pages: 4 }))
    const cache = memory.sysAlloc(3 * page, null)
    memory.observe(({ outcome }) => {
      if (outcome === 'refused') memory.sysFree(cache, 3 * page, null)
    })
    errorOf(() => memory.sysAlloc(2 * page, null))
    memory.sysAlloc(2 * page, null)
    expect(memory.stats().total).toMatchObject({ ready: 2 * page, refusals: 1 })
    memory.check()
  })
})

describe('an observer that throws', () => {
  it('does not disturb the caller, the account or other observers, and the host reports its error', async () => {
    const memory = createMemory(new PageOS())
    const thrown = new Error('an observer of the caller’s own')
    memory.observe(() => {
      throw thrown
    })
    const heard = heardBy(memory)
    const v = memory.sysAlloc(page, memory.stat('heap'))
    memory.sysFree(v, page, null)
    expect(heard.map(({ op }) => op)).toEqual(['sysAlloc', 'sysFree'])
    expect(await rejected()).toEqual([thrown, thrown])
    memory.check()
  })

  it('does not hide the error of the operation', async () => {
    const memory = createMemory(new PageOS({ fate: () => ENOMEM }))
    memory.observe(() => {
      throw new Error('another')
    })
    expect(errorOf(() => memory.sysAlloc(page, null)).code).toBe('ERR_MEMLAYER_OUT_OF_MEMORY')
    expect(await rejected()).toHaveLength(1)
  })
})

it.each([undefined, null, 'observer', {}, 1])('observe refuses %o, because it is not a function', (observer) => {
  const error = errorOf(() => createMemory(new PageOS()).observe(observer as never))
  expect(error).toBeInstanceOf(UsageError)
  expect(error).toMatchObject({ code: 'ERR_MEMLAYER_OPTION' })
  expect(error.message).toMatch(/^observe: the observer is /)
})

// Tests operations within operations. Observers and code that runs during a detach may call the memory. They see its
// state either before the operation or after it.
import {
  createMemory,
  GrowableBuffer,
  type Memory,
  type MemoryEvent,
  type Region,
  type UsageError,
} from '@memlayer/core'
import { beforeDetach } from '@memlayer/kernel'
import { describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { PageOS } from './page-os.js'

const page = 4096

function opened(): { memory: Memory } {
  return { memory: createMemory(new PageOS({ pages: 2048 })) }
}

/** Runs `answer` at the first event that `when` picks. */
function answerOnce(memory: Memory, when: (event: MemoryEvent) => boolean, answer: (event: MemoryEvent) => void): void {
  let isDue = true
  memory.observe((event) => {
    if (!isDue || !when(event)) return
    isDue = false
    answer(event)
  })
}

describe('an observer', () => {
  it('gets the event of a refusal when the ranges are in their old state, and may free them', () => {
    const os = new PageOS({ pages: 512, traits: { unusedTraps: true } })
    // The process is near its limit. Core reads this number when the memory's first allowance is used up.
    os.host = { mappings: () => ({ used: 65_000, limit: 65_530 }) }
    const bounded = createMemory(os)
    const own = bounded.reserve(400 * page, { name: 'cache' })
    own.commit(0, 400 * page)
    const found: unknown[] = []
    answerOnce(
      bounded,
      ({ op, outcome }) => op === 'sysUnused' && outcome === 'refused',
      () => {
        found.push(
          bounded.stats().categories['cache']?.ready,
          bounded.ranges().map(({ state }) => state),
        )
        own.free()
      },
    )
    const pairs = Array.from({ length: 190 }, (_, i) => [2 * i * page, page]).flat()
    let error: unknown = null
    for (let i = 0; i < 10 && error === null; i++) {
      try {
        own.unusedAll(pairs)
        own.commit(0, 400 * page)
      } catch (thrown) {
        error = thrown
      }
    }
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_OUT_OF_MEMORY' })
    expect(found).toEqual([400 * page, ['Ready']])
    expect(bounded.ranges()).toEqual([])
    bounded.check()
  })

  it('may free a reservation in its event and reserve the same place, which is then another region', () => {
    const { memory } = opened()
    const inner: Region[] = []
    answerOnce(
      memory,
      ({ op }) => op === 'sysReserve',
      ({ address, size }) => {
        memory.sysFree(address as number, size, null)
        inner.push(memory.reserve(4 * page, { name: 'inner' }))
      },
    )
    const outer = memory.reserve(4 * page, { name: 'outer' })
    const [region] = inner as [Region]
    expect([outer.address === region.address, outer.disposed, region.disposed]).toEqual([true, true, false])
    expect(memory.regions()).toEqual([region])
    region.free()
    expect([region.disposed, memory.ranges()]).toEqual([true, []])
  })

  it('may free a part of a reservation in its event, and the region has the rest', () => {
    const { memory } = opened()
    answerOnce(
      memory,
      ({ op }) => op === 'sysReserve',
      ({ address }) => memory.sysFree((address as number) + page, page, null),
    )
    const region = memory.reserve(4 * page)
    expect(errorOf(() => region.map(page, page))).toMatchObject({ code: 'ERR_MEMLAYER_DISPOSED' })
    region.map(0, page)
    region.map(2 * page, 2 * page)
    region.free()
    expect([region.disposed, memory.ranges()]).toEqual([true, []])
  })

  it.each([
    ['resize', (buffer: GrowableBuffer) => buffer.resize(0), 0],
    ['grow', (buffer: GrowableBuffer) => buffer.grow(600 * page), 0],
    ['zero', (buffer: GrowableBuffer) => buffer.zero(0, page), 0],
    ['free', (buffer: GrowableBuffer) => buffer.free(), 1],
  ])('may %s a buffer during its resize, which then goes on with what is there', (_, change, frees) => {
    const { memory } = opened()
    const buffer = new GrowableBuffer(memory, { maximum: 1024 * page, length: page, name: 'log' })
    buffer.bytes().fill(7)
    answerOnce(
      memory,
      ({ op }) => op === 'sysUsed',
      () => change(buffer),
    )
    if (frees === 1) {
      expect(errorOf(() => buffer.resize(512 * page))).toMatchObject({ code: 'ERR_MEMLAYER_DISPOSED', op: 'resize' })
      expect([buffer.length, buffer.capacity, memory.ranges()]).toEqual([0, 0, []])
    } else {
      buffer.resize(512 * page)
      expect([buffer.length, buffer.bytes().length]).toEqual([512 * page, 512 * page])
      expect(buffer.capacity).toBeGreaterThanOrEqual(512 * page)
    }
    memory.check()
  })
})

describe('code that runs during a detach', () => {
  type Op = 'sysUnused' | 'sysUsed' | 'sysFault' | 'sysFree' | 'sysUnusedAll'
  const call = (memory: Memory, op: Op, v: number): void => {
    if (op === 'sysFree') memory.sysFree(v, page, null)
    else if (op === 'sysUnusedAll') memory.sysUnusedAll([v, page])
    else memory[op](v, page)
  }
  const outer: Op[] = ['sysUnused', 'sysFault', 'sysFree', 'sysUnusedAll']
  it.each(outer.flatMap((op) => [...outer, 'sysUsed' as const].map((inner) => [inner, op] as const)))(
    'may call %s on the range of the running %s, which is then proved again',
    (inner, op) => {
      const { memory } = opened()
      const v = memory.sysAlloc(2 * page, memory.stat('heap'))
      const view = memory.view(Uint8Array, v, page)
      beforeDetach(view.buffer, () => {
        call(memory, inner, v)
        // The next page is not the running operation's.
        if (inner !== 'sysUsed') call(memory, inner, v + page)
      })
      const again = createMemory(new PageOS({ pages: 2048 }))
      const w = again.sysAlloc(2 * page, null)
      call(again, inner, w)
      // The operation ends as it would have ended after the other.
      let expected: string | null = null
      try {
        call(again, op, w)
      } catch (error) {
        expected = (error as UsageError).code
      }
      let code: string | null = null
      try {
        call(memory, op, v)
      } catch (error) {
        code = (error as UsageError).code
      }
      expect([code, view.length]).toEqual([expected, 0])
      memory.check()
      const freed = (op === 'sysFree' && expected === null ? page : 0) + (inner === 'sysFree' ? 2 * page : 0)
      expect(memory.ranges().reduce((sum, { size }) => sum + size, 0)).toBe(2 * page - freed)
    },
  )

  it('may make a view of the range, which ends as well', () => {
    const { memory } = opened()
    const [a, b] = [memory.sysAlloc(page, null), memory.sysAlloc(page, null)]
    memory.view(Uint8Array, b, 8)
    const made: Uint8Array[] = []
    beforeDetach(memory.view(Uint8Array, a, 8).buffer, () => {
      made.push(memory.view(Uint8Array, a, 8))
      memory.sysUnused(b, page)
      made.push(memory.view(Uint8Array, a, 8))
    })
    memory.sysFree(a, page, null)
    expect([made.map(({ length }) => length), memory.ranges().map(({ state }) => state)]).toEqual([
      [0, 0],
      ['Prepared'],
    ])
  })

  it('is stopped where it makes a view again and again', () => {
    const { memory } = opened()
    const v = memory.sysAlloc(page, null)
    const make = (): void => beforeDetach(memory.view(Uint8Array, v, 8).buffer, make)
    make()
    expect(errorOf(() => memory.sysFree(v, page, null))).toMatchObject({ code: 'ERR_MEMLAYER_STATE' })
    expect(memory.ranges().map(({ state }) => state)).toEqual(['Ready'])
    memory.check()
  })
})

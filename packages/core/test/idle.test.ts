// Idle pages: Prepared to the account, and not yet given back to the OS. Random histories are compared with what the OS
// was told of each page.
import { createMemory, GrowableBuffer, OutOfMemoryError, UsageError, type MemoryEvent } from '@memlayer/core'
import { testSeed } from '@memlayer/witness'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { ENOMEM, PageOS } from './page-os.js'

fc.configureGlobal({ seed: testSeed() })

const page = 4096
/** The scavenger runs only when it is called. */
const byHand = { scavenge: { share: 0 } } as const

describe('region.idle', () => {
  it('makes pages Prepared without a call of the OS, and used takes them back without one', () => {
    const os = new PageOS()
    const memory = createMemory(os, byHand)
    using region = memory.reserve(16 * page)
    region.commit()
    const before = os.calls.length
    region.idle(0, 8 * page)
    const { total, retained } = memory.stats()
    expect([total.prepared, total.ready, retained]).toEqual([8 * page, 8 * page, 8 * page])
    region.used(page, page)
    region.commit(2 * page, 3 * page)
    expect(os.calls.slice(before)).toEqual([])
    expect([memory.stats().retained, memory.stats().total.ready]).toEqual([4 * page, 12 * page])
    memory.check()
  })

  it('ends the views over its pages, and no other', () => {
    const memory = createMemory(new PageOS(), byHand)
    using region = memory.reserve(4 * page)
    region.commit()
    const [idle, other] = [region.view(Uint8Array, 0, page), region.view(Uint8Array, 2 * page, page)]
    region.idle(0, page)
    expect([idle.length, other.length]).toEqual([0, page])
  })

  it('tells observers of sysUnused and of sysUsed', () => {
    const memory = createMemory(new PageOS(), byHand)
    using region = memory.reserve(4 * page)
    region.commit()
    const heard: MemoryEvent['op'][] = []
    memory.observe(({ op }) => heard.push(op))
    region.idle(0, page)
    region.used(0, page)
    expect(heard).toEqual(['sysUnused', 'sysUsed'])
  })

  it('is refused for what is not Ready, or is held, as unused is', () => {
    const memory = createMemory(new PageOS(), byHand)
    using region = memory.reserve(4 * page, { name: 'rows' })
    region.commit(0, 2 * page)
    expect(errorOf(() => region.idle())).toBeInstanceOf(UsageError)
    expect(errorOf(() => region.idle(0.5, page)).message).toContain("region 'rows'")
    const hold = region.hold(0, page)
    expect(errorOf(() => region.idle(0, page))).toMatchObject({ code: 'ERR_MEMLAYER_SHARED' })
    hold.release()
    region.idle(0, page)
    expect(memory.stats().retained).toBe(page)
  })

  it('is what unused and sysUnusedAll are in a lazy memory', () => {
    const os = new PageOS()
    const memory = createMemory(os, { scavenge: { lazy: true, share: 0 } })
    const v = memory.sysAlloc(8 * page, null)
    memory.sysUnused(v, page)
    memory.sysUnusedAll([v + 2 * page, page, v + 4 * page, 2 * page])
    expect([memory.stats().retained, os.calls.length]).toEqual([4 * page, 1])
    memory.sysUsed(v + 4 * page, page)
    expect([memory.stats().retained, os.calls.length]).toEqual([3 * page, 1])
    memory.check()
  })
})

it('a GrowableBuffer in a lazy memory has no old bytes in what it discards, or loses and grows again', () => {
  const os = new PageOS()
  const memory = createMemory(os, { scavenge: { lazy: true, share: 0 } })
  const buffer = new GrowableBuffer(memory, { maximum: 16 * page, length: 8 * page })
  const calls = os.calls.length
  buffer.discard(0, 2 * page)
  buffer.resize(page)
  expect(os.calls.slice(calls).filter((call) => call.startsWith('sysUnusedOS'))).toHaveLength(2)
  expect(memory.stats().retained).toBe(0)
  buffer.free()
})

describe('memory.scavenge', () => {
  it('gives back the oldest, as many bytes as it was asked for, and says how many', () => {
    const os = new PageOS()
    const memory = createMemory(os, byHand)
    using region = memory.reserve(8 * page)
    region.commit()
    region.idle(0, 6 * page)
    expect(memory.scavenge({ bytes: 2 * page })).toBe(2 * page)
    expect([memory.stats().retained, os.calls.at(-1)]).toEqual([
      4 * page,
      `sysUnusedOS(0x${region.address.toString(16)}, ${2 * page})`,
    ])
    expect([memory.scavenge(), memory.scavenge(), memory.stats().retained]).toEqual([4 * page, 0, 0])
  })

  it('counts what the OS refuses as kept, and asks no more for it', () => {
    const os = new PageOS({ fate: (fn) => (fn === 'sysUnusedOS' ? ENOMEM : undefined) })
    const memory = createMemory(os, byHand)
    using region = memory.reserve(2 * page)
    region.commit()
    region.idle(0, page)
    expect([memory.scavenge(), memory.stats().retained, memory.stats().kept]).toEqual([0, 0, page])
    region.used(0, page)
    memory.check()
  })

  it.each([
    [{ bytes: -1 }, /bytes is -1/],
    [{ bytes: '1' }, /bytes is "1"/],
    [{ size: 1 }, /"size" is not known/],
  ])('refuses %j', (request, words) => {
    const error = errorOf(() => createMemory(new PageOS()).scavenge(request as never))
    expect(error).toBeInstanceOf(UsageError)
    expect(error.message).toMatch(words)
  })

  it.each([{ lazy: 1 }, { retain: -1 }, { decay: NaN }, { share: 2 }, { pace: 1 }, null])(
    'a memory is not made with scavenge: %j',
    (scavenge) => {
      expect(errorOf(() => createMemory(new PageOS(), { scavenge: scavenge as never }))).toBeInstanceOf(UsageError)
    },
  )
})

const step = fc.record({
  op: fc.constantFrom('idle', 'idle', 'used', 'commit', 'unused', 'fault', 'map', 'free', 'all', 'scavenge', 'view'),
  at: fc.integer({ min: 0, max: 15 }),
  pages: fc.integer({ min: 1, max: 6 }),
})

describe.each([
  { name: 'where unused pages can be touched', traits: {} },
  { name: 'where unused pages trap', traits: { unusedTraps: true } },
])('random histories $name', ({ traits }) => {
  it('have idle pages that the OS was not asked to take, and no other Ready page without memory', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const os = new PageOS({ traits })
        const memory = createMemory(os, byHand)
        const region = memory.reserve(16 * page)
        region.commit()
        for (const { op, at, pages } of steps) {
          const [offset, length] = [at * page, Math.min(pages, 16 - at) * page]
          try {
            if (op === 'idle') region.idle(offset, length)
            else if (op === 'used') region.used(offset, length)
            else if (op === 'commit') region.commit(offset, length)
            else if (op === 'unused') region.unused(offset, length)
            else if (op === 'fault') region.fault(offset, length)
            else if (op === 'map') region.map(offset, length)
            else if (op === 'free') region.free(offset, length)
            else if (op === 'all') region.unusedAll([offset, length])
            else if (op === 'view') region.view(Uint8Array, offset, length)
            else memory.scavenge({ bytes: length })
          } catch (error) {
            if (!(error instanceof UsageError || error instanceof OutOfMemoryError)) throw error
          }
          memory.check()
          let retained = 0
          for (const { address, size, state } of memory.ranges()) {
            for (let v = address; v < address + size; v += page) {
              const told = os.pages.get(v / page)?.state
              if (state === 'Prepared' && told === 'Ready') retained += page
              else expect(told).toBe(state)
            }
          }
          expect(memory.stats().retained).toBe(retained)
        }
        region[Symbol.dispose]()
      }),
      { numRuns: 300 },
    )
  })
})

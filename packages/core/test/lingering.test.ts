// Where unused pages trap, pages that JavaScript has seen stay committed for a while after they left Ready: a call in
// flight may touch them. They lose what they held. The oldest are decommitted when younger ones need their place.
import { createMemory, type Address, type Memory } from '@memlayer/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { RangeMap } from '../src/ledger/range-map.js'
import { Lingering } from '../src/retired/lingering.js'
import { queuedMax } from '../src/retired/queue.js'
import { CommittingOS, KeepingOS } from './keeping-os.js'

const page = 4096
const quarantine = { space: Infinity, writable: 4 * page }

/** Makes `n` bytes Ready, which JavaScript sees. */
function seen(memory: Memory, n: number): Address {
  const v = memory.sysAlloc(n, null)
  memory.view(Uint8Array, v, n)
  return v
}

describe('pages that leave Ready on an OS where unused pages trap', () => {
  it('stay committed and lose what they held when JavaScript has seen them', () => {
    const os = new CommittingOS({ quarantine })
    const memory = createMemory(os)
    const v = seen(memory, 2 * page)
    memory.sysUnused(v, 2 * page)
    expect([os.states(v, 2 * page), os.emptied]).toEqual(['Ready', [`${v.toString(16)}+${2 * page}`]])
    expect(os.mapped).toEqual([true])
    expect(memory.stats()).toMatchObject({ lingering: 2 * page })
    expect(memory.ranges()).toMatchObject([{ address: v, size: 2 * page, state: 'Prepared' }])
  })

  it('are decommitted at once when JavaScript has not seen them', () => {
    const os = new CommittingOS({ quarantine })
    const memory = createMemory(os)
    const v = memory.sysAlloc(2 * page, null)
    memory.sysUnused(v, 2 * page)
    expect([os.committed, os.emptied, memory.stats().lingering]).toEqual([0, [], undefined])
  })

  it('are decommitted at once when they are more than the OS spares, by a single page', () => {
    const os = new CommittingOS({ quarantine })
    const memory = createMemory(os)
    const [most, more] = [seen(memory, 4 * page), seen(memory, 5 * page)]
    memory.sysUnused(more, 5 * page)
    expect([os.states(more, 5 * page), memory.stats().lingering]).toEqual(['Reserved', undefined])
    memory.sysUnused(most, 4 * page)
    expect([os.states(most, 4 * page), memory.stats().lingering]).toEqual(['Ready', 4 * page])
  })

  it('are decommitted at once where the OS can not empty them, and no refusal is left for the next call', () => {
    const os = new CommittingOS({ quarantine })
    const memory = createMemory(os)
    const v = seen(memory, page)
    os.retires = false
    memory.sysUnused(v, page)
    expect([os.states(v, page), memory.stats().lingering, os.refusal]).toEqual(['Reserved', undefined, null])
  })

  it('are decommitted oldest first, only as many ranges as the younger ones need', () => {
    const os = new CommittingOS({ quarantine })
    const memory = createMemory(os)
    const [first, second, third] = [seen(memory, page), seen(memory, 2 * page), seen(memory, 2 * page)]
    memory.sysUnused(first, page)
    memory.sysUnused(second, 2 * page)
    expect(memory.stats().lingering).toBe(3 * page)
    memory.sysUnused(third, 2 * page)
    const states = [os.states(first, page), os.states(second, 2 * page), os.states(third, 2 * page)]
    expect([states, memory.stats().lingering]).toEqual([['Reserved', 'Ready', 'Ready'], 4 * page])
  })

  it('count no more once they are Ready again, and are not decommitted for younger ones then', () => {
    const os = new CommittingOS({ quarantine })
    const memory = createMemory(os)
    const [first, second] = [seen(memory, 4 * page), seen(memory, 4 * page)]
    memory.sysUnused(first, 4 * page)
    memory.sysUsed(first + page, 2 * page)
    expect(memory.stats().lingering).toBe(2 * page)
    memory.sysUnused(second, 4 * page)
    const states = [0, 1, 2, 3].map((at) => os.states(first + at * page, page))
    expect(states).toEqual(['Reserved', 'Ready', 'Ready', 'Reserved'])
    expect([memory.stats().lingering, os.states(second, 4 * page)]).toEqual([4 * page, 'Ready'])
    memory.check()
  })

  it('linger on when they are faulted, and so do those that were Ready until then', () => {
    const os = new CommittingOS({ quarantine })
    const memory = createMemory(os)
    const v = seen(memory, 3 * page)
    memory.sysUnused(v, page)
    memory.sysFault(v, 3 * page)
    expect([os.states(v, 3 * page), memory.stats().lingering]).toEqual(['Ready', 3 * page])
    expect(memory.ranges()).toMatchObject([{ address: v, size: 3 * page, state: 'Reserved' }])
    const unseen = memory.sysAlloc(page, null)
    memory.sysFault(unseen, page)
    expect([os.states(unseen, page), memory.stats().lingering]).toEqual(['Reserved', 3 * page])
  })

  it.each([
    ['where unused pages can be touched', { unusedTraps: false }],
    ['where Ready pages are not known to stay as they are', { unusedTraps: true }],
  ])('are decommitted %s', (_, traits) => {
    const os = new KeepingOS({ quarantine, traits })
    if (!traits.unusedTraps) Object.assign(os, { usedKeepsReady: true })
    const memory = createMemory(os)
    const v = seen(memory, page)
    memory.sysUnused(v, page)
    expect([os.states(v, page), memory.stats().lingering]).toEqual(['Prepared', undefined])
  })
})

afterEach(() => void vi.restoreAllMocks())

describe('lingering pages', () => {
  /** Four pages that linger, each a range of its own, from `v` on. */
  function lingering(os = new CommittingOS({ quarantine })): { os: CommittingOS; pages: Lingering; v: Address } {
    const v = os.sysAllocOS(16 * page) as Address
    const pages = new Lingering(os)
    for (let at = 0; at < 4; at++) expect(pages.reset(v + at * page, page)).toBe(true)
    return { os, pages, v }
  }

  it('are decommitted all of them when memory is short, which says whether there were any', () => {
    const { os, pages } = lingering()
    const before = os.committed
    expect([pages.bytes, pages.decommit()]).toEqual([4 * page, true])
    expect([pages.bytes, before - os.committed, pages.decommit()]).toEqual([0, 4 * page, false])
  })

  it('count no more when the OS keeps them committed, and no refusal is left for the next call', () => {
    for (const how of ['refuses', 'throws'] as const) {
      const { os, pages } = lingering()
      os.fate = () => (how === 'refuses' ? { hint: 'Wait.' } : (new Error('the kernel keeps it') as never))
      expect([pages.decommit(), pages.bytes, os.refusal]).toEqual([true, 0, null])
    }
  })

  it('are taken out as the pairs that they are, and only where they lie in the range', () => {
    const { pages, v } = lingering()
    expect(pages.take(v + 8 * page, 4 * page)).toEqual([])
    expect(pages.take(v + 3 * page, 4 * page)).toEqual([[v + 3 * page, page]])
    expect([pages.bytes, pages.take(v, 16 * page), pages.bytes]).toEqual([3 * page, [[v, 3 * page]], 0])
    expect(pages.take(v, 16 * page)).toEqual([])
  })

  it('go on lingering after a time when there were none', () => {
    const { os, pages, v } = lingering()
    pages.decommit()
    expect(pages.decommit()).toBe(false)
    pages.reset(v + 8 * page, page)
    expect([pages.bytes, pages.decommit(), os.states(v + 8 * page, page)]).toEqual([page, true, 'Reserved'])
  })

  it('are counted anew as they lie, where a script ended while they changed', () => {
    const { pages, v } = lingering()
    const { assign } = RangeMap.prototype
    vi.spyOn(RangeMap.prototype, 'assign').mockImplementationOnce(function (this: RangeMap, ...given) {
      assign.apply(this, given)
      throw new Error('the script ends')
    })
    expect(() => pages.take(v + page, page)).toThrow('the script ends')
    expect(pages.bytes).toBe(4 * page)
    pages.recount()
    expect([pages.bytes, pages.take(v, 4 * page)]).toEqual([
      3 * page,
      [
        [v, page],
        [v + 2 * page, 2 * page],
      ],
    ])
    pages.recount()
    expect(pages.bytes).toBe(0)
  })

  it('are none where the OS does not say what it spares', () => {
    const os = new CommittingOS()
    const v = os.sysAllocOS(page) as Address
    Object.assign(os, { quarantine: undefined })
    expect(new Lingering(os).reset(v, page)).toBe(false)
  })

  it('are no more ranges than the queue may hold, and the oldest is decommitted for one more', () => {
    const os = new CommittingOS({ pages: 4, quarantine: { space: Infinity, writable: Infinity } })
    const v = os.sysAllocOS(2 * page) as Address
    const pages = new Lingering(os)
    pages.reset(v, page)
    for (let i = 1; i < queuedMax; i++) pages.reset(v + page, page)
    expect(os.states(v, page)).toBe('Ready')
    pages.reset(v + page, page)
    expect(os.states(v, page)).toBe('Reserved')
  })
})

describe('a free on an OS where unused pages trap', () => {
  it('keeps committed what was Ready or lingered, and the rest traps', () => {
    const os = new CommittingOS({ quarantine })
    const memory = createMemory(os)
    const region = memory.reserve(6 * page)
    const v = region.address
    region.commit(0, 3 * page)
    region.view(Uint8Array, 0, page)
    region.unused(0, page)
    region.unused(2 * page, page)
    region.free()
    expect([os.states(v, 3 * page), os.states(v + 3 * page, 3 * page)]).toEqual(['Ready', 'Reserved'])
    expect(memory.stats()).toMatchObject({ retired: 6 * page })
    expect([memory.stats().lingering, os.mapped.every((isMapped) => isMapped)]).toEqual([undefined, true])
    // What is committed of it is what younger ranges take the place of.
    const younger = seen(memory, 2 * page)
    memory.sysFree(younger, 2 * page, null)
    expect([os.states(v, 6 * page), os.states(younger, 2 * page)]).toEqual(['Reserved', 'Ready'])
  })

  it('keeps nothing committed of a range of which more is committed than the OS spares', () => {
    const os = new CommittingOS({ quarantine })
    const memory = createMemory(os)
    const most = seen(memory, 4 * page)
    memory.sysUnused(most, page)
    memory.sysFree(most, 4 * page, null)
    expect(os.states(most, 4 * page)).toBe('Ready')
    const more = seen(memory, 5 * page)
    memory.sysUnused(more, page)
    const before = os.emptied.length
    memory.sysFree(more, 5 * page, null)
    expect([os.states(more, 5 * page), memory.stats().retired]).toEqual(['Reserved', 9 * page])
    // It traps at once. Nothing is asked for the pages that go.
    expect([os.emptied.length - before, os.states(most, 4 * page)]).toEqual([0, 'Ready'])
  })

  it('lets trap what the OS can not empty, and unmaps the range when it can not do that either', () => {
    const os = new CommittingOS({ quarantine })
    const memory = createMemory(os)
    const v = seen(memory, 2 * page)
    memory.sysUnused(v, page)
    os.retires = false
    memory.sysFree(v, 2 * page, null)
    expect([os.states(v, page), os.states(v + page, page), memory.stats().retired]).toEqual([
      'Ready',
      'Reserved',
      2 * page,
    ])
    os.retires = true
    const other = seen(memory, 2 * page)
    os.retires = false
    os.fate = (fn) => (fn === 'sysFaultOS' ? { hint: 'Wait.' } : undefined)
    memory.sysFree(other, 2 * page, null)
    expect([os.states(other, 2 * page), os.refusal, memory.stats().retired]).toEqual(['None', null, 2 * page])
    memory.check()
  })
})

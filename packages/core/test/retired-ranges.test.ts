// The retired ranges of a memory, apart from the memory: what is asked of the OS for them, and in which order they
// trap, cool and go.
import type { Address } from '@memlayer/core'
import { describe, expect, it } from 'vitest'
import { reap } from '../src/process/reap.js'
import { ProcessRecord } from '../src/process/record.js'
import { queuedMax } from '../src/retired/queue.js'
import { Retired } from '../src/retired/retired.js'
import { KeepingOS, type KeepingOSOptions } from './keeping-os.js'
import { PageOS } from './page-os.js'
import { page, scene } from './retired-scene.js'
import { Process } from './simulated-process.js'

/** The bytes that the OS still has of a memory. */
const owned = (os: KeepingOS): number => os.pages.size * page

describe('what JavaScript has seen', () => {
  it('is whole pages, those around the bytes of a view', () => {
    const { retired } = scene()
    expect(retired.hasSeen(0, 100 * page)).toBe(false)
    retired.see(10 * page + 100, page)
    for (const at of [9, 12]) expect(retired.hasSeen(at * page, page)).toBe(false)
    for (const at of [10, 11]) expect(retired.hasSeen(at * page, page)).toBe(true)
    expect([retired.counts(10 * page, 2 * page), retired.counts(10 * page, 3 * page)]).toEqual([true, false])
    expect(retired.counts(9 * page, 2 * page)).toBe(false)
    expect([retired.hasSeen(8 * page, 3 * page), retired.hasSeen(11 * page, 9 * page)]).toEqual([true, true])
  })

  it('is forgotten with a range that was retired or given back, and with no other', () => {
    for (const how of ['add', 'addAgain', 'forget'] as const) {
      const { retired, os } = scene()
      const v = os.sysAllocOS(3 * page) as Address
      retired.see(v, 3 * page)
      retired[how](v, 2 * page)
      expect([retired.hasSeen(v, 2 * page), retired.hasSeen(v + 2 * page, page)]).toEqual([false, true])
    }
  })
})

describe('retired ranges', () => {
  it('are pairs in the order of their addresses, and neighbours are one pair whatever they are', () => {
    const { os, retired } = scene({ quarantine: { space: 8 * page, writable: Infinity } })
    const v = os.sysAllocOS(6 * page) as Address
    // Of 8 pages 4 may be in quarantine: the first one cools with the fifth.
    for (const at of [0, 1, 5, 3, 4]) retired.add(v + at * page, page)
    expect([retired.ranges(), retired.bytes]).toEqual([[v, 2 * page, v + 3 * page, 3 * page], 5 * page])
    expect([retired.reserve(2 * page), retired.reserve(page), retired.bytes]).toEqual([null, v, 4 * page])
  })

  it('may be as large as what the OS spares, and nothing may be where it spares nothing', () => {
    const { retired } = scene({ quarantine: { space: 4 * page, writable: Infinity } })
    expect([retired.mayRetire(4 * page), retired.mayRetire(5 * page)]).toEqual([true, false])
    const keepsNothing = new Retired(new PageOS())
    expect([keepsNothing.mayRetire(page), keepsNothing.counts(page, page)]).toEqual([false, true])
  })

  it('serve at the alignment that is asked, and what lies around stays retired', () => {
    const { os, retired } = scene()
    const v = os.sysAllocOS(8 * page) as Address
    expect(v % (8 * page)).toBe(0)
    retired.add(v + page, 7 * page)
    retired.cool()
    expect(retired.reserve(page, 8 * page)).toBe(null)
    expect(retired.reserve(5 * page, 4 * page)).toBe(null)
    expect(retired.reserve(2 * page, 4 * page)).toBe(v + 4 * page)
    expect([os.states(v + 4 * page, 2 * page), os.states(v + page, 3 * page)]).toEqual(['Reserved', 'Ready'])
    expect(retired.ranges()).toEqual([v + page, 3 * page, v + 6 * page, 2 * page])
    expect([retired.reserve(4 * page), retired.reserve(3 * page)]).toEqual([null, v + page])
  })

  it('serve an allocation from the first that is large enough, and a larger one that cools later', () => {
    const { retired, retire, os } = scene()
    const [small, gap, large] = [retire(2), os.sysAllocOS(page), retire(4)]
    expect(gap).not.toBe(null)
    retired.cool()
    expect([retired.alloc(3 * page), retired.alloc(2 * page), retired.alloc(2 * page)]).toEqual([large, small, null])
    expect(retire(5)).toBe(large + 4 * page)
    retired.cool()
    // It lies behind the page that is left of the large one, and both are one.
    expect([retired.alloc(5 * page), retired.bytes]).toEqual([large + 3 * page, page])
  })

  it('stay retired when the OS makes nothing of them, and no refusal is left for the next call', () => {
    const { os, retired, retire } = scene()
    const v = retire(2)
    retired.cool()
    os.retires = false
    os.fate = () => ({ hint: 'Wait.' })
    expect([retired.reserve(page), retired.alloc(page), os.refusal, retired.bytes]).toEqual([
      null,
      null,
      null,
      2 * page,
    ])
    os.retires = true
    os.fate = undefined
    expect([retired.alloc(2 * page), retired.bytes]).toEqual([v, 0])
  })

  it('cool and go on cooling after a time when there were none', () => {
    const { retired, retire } = scene()
    retired.cool()
    const v = retire(1)
    expect(retired.alloc(page)).toBe(null)
    retired.cool()
    expect(retired.alloc(page)).toBe(v)
  })

  it('all go back to the OS, in quarantine and cooled, and a second time there are none', () => {
    const { os, retired, retire } = scene({ quarantine: { space: 8 * page, writable: Infinity } })
    for (const pages of [3, 1, 2]) retire(pages)
    expect([retired.release(), retired.bytes, owned(os), retired.ranges()]).toEqual([true, 0, 0, []])
    expect(retired.release()).toBe(false)
  })

  it('that the OS does not take back are lost, and the others go back all the same', () => {
    for (const how of ['refuses', 'throws'] as const) {
      const { os, retired, retire } = scene()
      retire(1)
      os.sysAllocOS(page)
      retire(1)
      let frees = 0
      os.fate = (fn) => {
        if (fn !== 'sysFreeOS' || (frees += 1) > 1) return undefined
        return how === 'refuses' ? { hint: 'Wait.' } : (new Error('not now') as never)
      }
      expect([retired.release(), retired.bytes, os.refusal, owned(os)]).toEqual([true, 0, null, 2 * page])
    }
  })

  it('trap all of them when memory is short, which says whether any could be touched', () => {
    const { os, retired, retire } = scene({ quarantine: { space: Infinity, writable: 8 * page } })
    expect(retired.uncommit()).toBe(false)
    const [first, second] = [retire(2), retire(3)]
    expect([retired.uncommit(), os.states(first, 2 * page), os.states(second, 3 * page)]).toEqual([
      true,
      'Reserved',
      'Reserved',
    ])
    expect([retired.uncommit(), retired.bytes]).toEqual([false, 5 * page])
  })

  it('count as touchable while the OS does not let them trap', () => {
    for (const how of ['refuses', 'throws'] as const) {
      const { os, retired, retire } = scene({ quarantine: { space: Infinity, writable: 8 * page } })
      retire(2)
      os.fate = () => (how === 'refuses' ? { hint: 'Wait.' } : (new Error('not now') as never))
      expect([retired.uncommit(), os.refusal]).toEqual([false, null])
    }
  })

  it('are no business of the process any more once they went back', () => {
    const process = new Process()
    const record = ProcessRecord.enter(process.of(2), () => []) as ProcessRecord
    const os = new KeepingOS()
    const retired = new Retired(os, record)
    const v = os.sysAllocOS(4 * page) as Address
    record.log.add(v, 4 * page)
    retired.add(v, 2 * page)
    retired.release()
    process.alive.delete(2)
    reap(process.of(1))
    expect(process.unmapped).toEqual([`${v / page + 2}+2`])
  })

  it('trap once they have cooled where little can be spared that is touchable', () => {
    const { os, retired, retire } = scene({ quarantine: { space: Infinity, writable: 8 * page } })
    const v = retire(2)
    expect(os.states(v, 2 * page)).toBe('Ready')
    retired.cool()
    expect(os.states(v, 2 * page)).toBe('Reserved')
    expect([retired.alloc(page), os.states(v, page), os.states(v + page, page)]).toEqual([v, 'Ready', 'Reserved'])
  })

  it('trap from the start when they are more than can be touched, by a single page', () => {
    const { os, retired, retire } = scene({ quarantine: { space: Infinity, writable: 2 * page } })
    const [most, more] = [retire(2), retire(3)]
    expect([os.states(most, 2 * page), os.states(more, 3 * page)]).toEqual(['Ready', 'Reserved'])
    // What traps already takes no place of what can be touched.
    expect([retired.uncommit(), os.states(most, 2 * page)]).toEqual([true, 'Reserved'])
  })

  it('are in quarantine up to half of the space, and beyond it the oldest serve', () => {
    const { retired, retire } = scene({ quarantine: { space: 8 * page, writable: Infinity } })
    const first = retire(2)
    retire(2)
    expect(retired.alloc(page)).toBe(null)
    retire(1)
    expect([retired.alloc(2 * page), retired.alloc(page)]).toEqual([first, null])
  })

  it('serve at once when a single one has more than half of the space', () => {
    const { retired, retire } = scene({ quarantine: { space: 8 * page, writable: Infinity } })
    const v = retire(5)
    expect(retired.alloc(5 * page)).toBe(v)
  })

  it('are asked of a frozen OS that tells no refusals', () => {
    const { os } = scene()
    const v = os.sysAllocOS(page) as Address
    const frozen = Object.freeze({ traits: os.traits, quarantine: os.quarantine, sysRetireOS: () => true })
    const retired = new Retired(frozen as never)
    expect(retired.retire(v, page, true)).toBe(true)
  })

  it('are never more than the space, and what is given back for it has cooled', () => {
    const { os, retired, retire } = scene({ quarantine: { space: 8 * page, writable: Infinity } })
    for (const pages of [4, 4, 1]) {
      retire(pages)
      os.sysAllocOS(page)
    }
    expect([retired.bytes, owned(os)]).toEqual([5 * page, 8 * page])
  })

  it('leave the quarantine one by one when they are more than its queue holds', () => {
    const { retired } = scene()
    for (let i = 1; i <= queuedMax; i++) retired.add(2 * i * page, page)
    expect(retired.reserve(page)).toBe(null)
    const { os, retired: other } = scene({ pages: 2, base: 2 * page })
    os.sysAllocOS(page)
    for (let i = 1; i <= queuedMax + 1; i++) other.add(2 * i * page, page)
    expect([other.alloc(page), other.alloc(page)]).toEqual([2 * page, null])
  })
})

describe('retired ranges of an OS that takes back whole reservations only', () => {
  const options: KeepingOSOptions = {
    traits: { freesParts: false },
    quarantine: { space: 8 * page, writable: 3 * page },
  }

  it('serve nothing: they go back to the OS when their quarantine ends', () => {
    const { os, retired, retire } = scene(options)
    const [first, second] = [retire(3), retire(2)]
    expect([os.states(first, 3 * page), os.states(second, 2 * page)]).toEqual(['None', 'Ready'])
    expect([retired.bytes, retired.alloc(page), retired.reserve(page)]).toEqual([2 * page, null, null])
    const before = os.calls.length
    retired.cool()
    expect([retired.bytes, owned(os), retired.alloc(page)]).toEqual([0, 0, null])
    // What goes back need not trap before.
    expect(os.calls.slice(before).map((call) => call.split('(')[0])).toEqual(['sysFreeOS'])
  })

  it('trap when younger ranges take their place', () => {
    const { os, retired, retire } = scene(options)
    const [first, second] = [retire(2), retire(2)]
    expect([os.states(first, 2 * page), os.states(second, 2 * page)]).toEqual(['Reserved', 'Ready'])
    expect([retired.uncommit(), retired.uncommit(), os.states(second, 2 * page)]).toEqual([true, false, 'Reserved'])
  })

  it('go back once, also when a script ended after one of them was retired', () => {
    const { os, retired, retire } = scene(options)
    const v = retire(1)
    retired.addAgain(v, page)
    retired.recount()
    retired.cool()
    const frees = os.calls.filter((call) => call.startsWith('sysFreeOS'))
    expect([frees.length, retired.bytes, retired.ranges()]).toEqual([1, 0, []])
  })
})

// Tests the huge page policy of a region: the advice to the OS, its time, and its pages. Without a policy, core gives
// only the advice that Go gives.
import { createMemory, GrowableBuffer, UsageError, type HugePagePolicy, type Memory, type Region } from '@memlayer/core'
import { describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { PageOS } from './page-os.js'

const page = 4096
const huge = 4 * page

/** A backend that records the last advice for each page. */
class AdvisedOS extends PageOS {
  readonly advice = new Map<number, string>()
  obtained = 0
  sysZeroOS?: () => boolean

  constructor(hugePageSize = huge) {
    super({ traits: { hugePageSize }, base: 0x10000 + page, pages: 1024 })
  }

  override sysHugePageOS(v: number, n: number): void {
    super.sysHugePageOS(v, n)
    this.#advise(v, n, 'H')
  }

  sysNoHugePageOS(v: number, n: number): void {
    this.#advise(v, n, 'n')
  }

  override host = { hugePages: (): number => this.obtained }

  /** Returns a letter for each of a region's first pages: H for asked for, n for forbidden, a dot for no advice. */
  text({ address }: Region, pages = 16): string {
    return Array.from({ length: pages }, (_, i) => this.advice.get(address + i * page) ?? '.').join('')
  }

  #advise(v: number, n: number, word: string): void {
    for (let at = v; at < v + n; at += page) this.advice.set(at, word)
  }
}

function region(hugePages?: HugePagePolicy): { os: AdvisedOS; memory: Memory; region: Region } {
  const os = new AdvisedOS()
  const memory = createMemory(os)
  return { os, memory, region: memory.reserve(64 * page, hugePages === undefined ? {} : { hugePages }) }
}

describe('a region’s huge page policy', () => {
  it('is the default without an option, and then core gives no advice of its own', () => {
    const { os, region: made } = region()
    expect(made.hugePages).toBe('default')
    made.commit(0, 16 * page)
    made.unused(page, page)
    made.used(page, page)
    expect(os.text(made)).toBe('................')
    expect(os.calls.filter((call) => call.startsWith('sysHugePage'))).toEqual([])
  })

  it.each([
    // A backend takes the advice from the huge pages that the zeroed range only touches.
    ['on', page, 6 * page, 'asks again', 'HHHHHHHH....'],
    ['on', huge, 2 * huge, 'asks nothing where whole huge pages were zeroed', '............'],
    ['off', page, 6 * page, 'forbids nothing again', '............'],
    ['default', page, 6 * page, 'asks nothing', '............'],
  ] as const)('%s, after zero of %i bytes and %i more: %s', (policy, offset, length, _says, expected) => {
    const { os, region: made } = region(policy)
    made.commit(0, 16 * page)
    os.advice.clear()
    os.sysZeroOS = () => true
    const before = os.calls.filter((call) => call.startsWith('sysHugePage')).length
    made.zero(offset, length)
    const asked = os.calls.filter((call) => call.startsWith('sysHugePage')).length - before
    expect([os.text(made, 12), asked]).toEqual([expected, Number(expected.includes('H'))])
  })

  it('on: starts at a huge page, and asks for each huge page as soon as all of it is Ready', () => {
    const { os, region: made } = region('on')
    expect([made.hugePages, made.address % huge]).toEqual(['on', 0])
    made.map(0, 16 * page)
    expect(os.text(made)).toBe('................')
    made.used(page, 10 * page)
    expect(os.text(made)).toBe('....HHHH........')
    made.used(0, page)
    expect(os.text(made)).toBe('HHHHHHHH........')
    made.used(11 * page, page)
    expect(os.text(made)).toBe('HHHHHHHHHHHH....')
  })

  it('on: asks again for a huge page after one of its pages was given back', () => {
    const { os, region: made } = region('on')
    made.commit(0, 16 * page)
    os.advice.clear()
    made.unused(5 * page, 2 * page)
    made.used(5 * page, page)
    expect(os.text(made)).toBe('................')
    made.used(6 * page, page)
    expect(os.text(made)).toBe('....HHHH........')
  })

  it('on: keeps a requested alignment', () => {
    const memory = createMemory(new AdvisedOS())
    using made = memory.reserve(8 * page, { hugePages: 'on', align: page })
    expect(made.hugePages).toBe('on')
    expect(made.address % huge).not.toBe(0)
  })

  it('off: forbids huge pages each time pages become Ready', () => {
    const { os, region: made } = region('off')
    made.commit(2 * page, 3 * page)
    expect(os.text(made)).toBe('..nnn...........')
    os.advice.clear()
    made.unused(3 * page, page)
    made.used(3 * page, page)
    expect(os.text(made)).toBe('...n............')
  })

  it('can change at any time, with immediate effect on Ready pages', () => {
    const { os, region: made } = region()
    made.commit(0, 6 * page)
    made.map(6 * page, 2 * page)
    const start = Math.ceil(made.address / huge) * huge - made.address
    made.hugePages = 'off'
    expect([made.hugePages, os.text(made, 8)]).toEqual(['off', 'nnnnnn..'])
    made.hugePages = 'on'
    made.commit(0, 16 * page)
    const asked = os.text(made).slice(start / page)
    expect(asked.startsWith('HHHHHHHH')).toBe(true)
    made.hugePages = 'default'
    os.advice.clear()
    made.used(0, 16 * page)
    expect([made.hugePages, os.text(made)]).toEqual(['default', '................'])
  })

  it('asks in one call for neighbours of several categories', () => {
    const { os, memory, region: made } = region('on')
    made.hugePages = 'default'
    memory.sysMap(made.address, 2 * page, memory.stat('one'))
    memory.sysMap(made.address + 2 * page, 2 * page, memory.stat('two'))
    made.used(0, 4 * page)
    made.hugePages = 'on'
    expect(os.calls.filter((call) => call.startsWith('sysHugePage'))).toEqual([
      `sysHugePageOS(0x${made.address.toString(16)}, ${huge})`,
    ])
  })

  it('belongs to its region only, not to neighbours or to later regions at its addresses', () => {
    const { os, memory, region: first } = region('off')
    const second = memory.reserve(8 * page, { address: first.address + first.size })
    second.commit(0, 8 * page)
    expect(os.text(second, 8)).toBe('........')
    first.commit(0, page)
    const { address } = first
    first.free()
    expect(first.hugePages).toBe('default')
    os.advice.clear()
    using third = memory.reserve(8 * page, { address })
    third.commit(0, 8 * page)
    expect([third.hugePages, os.text(third, 8)]).toEqual(['default', '........'])
  })

  it('gives no advice for freed parts of the region', () => {
    const { os, region: made } = region()
    made.commit(0, 8 * page)
    made.free(2 * page, 2 * page)
    made.hugePages = 'off'
    expect(os.text(made, 8)).toBe('nn..nnnn')
  })

  it('throws no error on an OS without huge pages', () => {
    const memory = createMemory(new PageOS())
    using made = memory.reserve(8 * page, { hugePages: 'on' })
    made.commit(0, 8 * page)
    made.hugePages = 'off'
    expect(made.hugePageUse()).toEqual({ requested: 0, obtained: NaN })
    memory.check()
  })

  it.each(['always', '', null, true, 1, {}] as unknown[])('can’t be %o', (policy) => {
    const { os, memory, region: made } = region()
    const calls = os.calls.length
    for (const run of [
      () => memory.reserve(page, { hugePages: policy as HugePagePolicy }),
      () => (made.hugePages = policy as HugePagePolicy),
    ]) {
      const error = errorOf(run)
      expect(error).toBeInstanceOf(UsageError)
      expect(error).toMatchObject({ code: 'ERR_MEMLAYER_OPTION' })
    }
    expect([os.calls.length, made.hugePages]).toEqual([calls, 'default'])
  })

  it('can’t be set on a freed region', () => {
    const { region: made } = region('on')
    made.free()
    expect(errorOf(() => (made.hugePages = 'off'))).toMatchObject({ code: 'ERR_MEMLAYER_DISPOSED' })
    expect(errorOf(() => made.hugePageUse())).toMatchObject({ code: 'ERR_MEMLAYER_DISPOSED' })
  })

  it('is an option of a growable buffer too', () => {
    const os = new AdvisedOS()
    using buffer = new GrowableBuffer(createMemory(os), { maximum: 512 * page, length: 1, hugePages: 'on' })
    expect([buffer.region.hugePages, os.text(buffer.region, 8)]).toEqual(['on', 'HHHHHHHH'])
  })
})

describe('huge pages requested and obtained', () => {
  it('counts the whole huge pages that are Ready, and the kernel’s own number', () => {
    const { os, region: made } = region('on')
    expect(made.hugePageUse()).toEqual({ requested: 0, obtained: 0 })
    made.commit(page, 10 * page)
    os.obtained = huge
    expect(made.hugePageUse()).toEqual({ requested: huge, obtained: huge })
    made.commit(0, 12 * page)
    expect(made.hugePageUse()).toEqual({ requested: 3 * huge, obtained: huge })
  })

  it('requests no huge pages with the policy off', () => {
    const { os, region: made } = region('off')
    made.commit(0, 16 * page)
    os.obtained = 2 * huge
    expect(made.hugePageUse()).toEqual({ requested: 0, obtained: 2 * huge })
  })
})

describe('an OS without huge pages', () => {
  it('is asked for none, whatever the policy is, and none are requested', () => {
    const os = new AdvisedOS(0)
    const memory = createMemory(os)
    using made = memory.reserve(64 * page, { hugePages: 'on' })
    made.commit(0, 16 * page)
    made.unused(0, page)
    made.used(0, page)
    expect(os.calls.filter((call) => call.startsWith('sysHugePage'))).toEqual([])
    expect(made.hugePageUse()).toEqual({ requested: 0, obtained: 0 })
  })
})

describe('a part of a huge page', () => {
  it('is requested by nothing, and asked for by nothing', () => {
    const { os, region: made } = region('on')
    made.commit(page, 2 * page)
    made.commit(huge + page, 2 * page)
    expect([made.hugePageUse().requested, os.text(made)]).toEqual([0, '................'])
    made.commit(huge, huge)
    expect([made.hugePageUse().requested, os.text(made)]).toEqual([huge, '....HHHH........'])
  })
})

// Tests that createMemory accepts only a backend, and that two memories share nothing.
import { inspect } from 'node:util'
import { createMemory, GrowableBuffer, UsageError, type MemoryOptions, type OS } from '@memlayer/core'
import { runChild } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { PageOS } from './page-os.js'

const page = 4096

describe('createMemory', () => {
  it.each([
    ['nothing', undefined, 'the backend is undefined'],
    ['null', null, 'the backend is null'],
    ['a name', 'linux', 'the backend is "linux"'],
    ['createOS itself', () => new PageOS(), 'the backend is a function'],
    ['an empty object', {}, "the backend's sysAllocOS is undefined, not a function"],
    [
      'a backend that lacks one function',
      { ...bare(), sysMapOS: undefined },
      "the backend's sysMapOS is undefined, not a function",
    ],
    ['a backend without traits', { ...bare(), traits: undefined }, "the backend's traits are undefined"],
    [
      'a backend with the page size 0',
      { ...bare(), traits: { ...new PageOS().traits, pageSize: 0 } },
      "the backend's page size is 0",
    ],
    [
      'a backend whose page size is not a power of two',
      { ...bare(), traits: { pageSize: 12288 } },
      "the backend's page size is 12288",
    ],
  ] as [string, unknown, string][])('refuses %s', (_, os, words) => {
    const error = errorOf(() => createMemory(os as OS))
    expect(error).toBeInstanceOf(UsageError)
    expect(error.code).toBe('ERR_MEMLAYER_OPTION')
    expect(error.message.startsWith(`createMemory: ${words}. `), error.message).toBe(true)
  })

  it.each([
    ['null', null, 'the options are null'],
    ['a boolean', false, 'the options are false'],
    ['a ledger that is not a boolean', { ledger: 'no' }, 'the option ledger is "no"'],
    ['a ledger of null', { ledger: null }, 'the option ledger is null'],
  ] as [string, unknown, string][])('refuses the options: %s', (_, options, words) => {
    const error = errorOf(() => createMemory(new PageOS(), options as MemoryOptions))
    expect(error).toMatchObject({ name: 'UsageError', code: 'ERR_MEMLAYER_OPTION' })
    expect(error.message).toContain(`createMemory: ${words}. `)
  })

  it('makes no call on the OS', () => {
    const os = new PageOS()
    const memory = createMemory(os, {})
    expect(memory.os).toBe(os)
    expect(os.calls).toEqual([])
    expect(memory.ranges()).toEqual([])
    expect(memory.stats()).toEqual({
      retired: 0,
      kept: 0,
      retained: 0,
      total: { reserved: 0, prepared: 0, ready: 0, held: 0, peak: 0, calls: 0, refusals: 0 },
      uncategorized: { reserved: 0, prepared: 0, ready: 0, held: 0, peak: 0, calls: 0, refusals: 0 },
      categories: {},
    })
    memory.check()
  })

  it('makes memories over one OS that own only their own ranges', () => {
    const os = new PageOS()
    const [one, other] = [createMemory(os), createMemory(os)]
    const v = one.sysAlloc(page, one.stat('heap'))
    expect(other.stats().total.ready).toBe(0)
    expect(errorOf(() => other.sysFree(v, page, null)).code).toBe('ERR_MEMLAYER_NOT_OWNED')
    one.sysFree(v, page, null)
  })
})

describe('console.log', () => {
  it('prints in one line what a memory, a region, a buffer and a hold are', () => {
    const memory = createMemory(new PageOS())
    const region = memory.reserve(8 * page, { name: 'cache' })
    region.commit(0, 3 * page)
    const hold = region.hold(page, page)
    const buffer = new GrowableBuffer(memory, { maximum: 16 * page, length: 100, name: 'log' })
    const at = `0x${region.address.toString(16)}`
    expect(inspect(region)).toBe(`Region 'cache': 32 KiB at ${at}, 12 KiB of it Ready`)
    expect(inspect({ region })).toContain(`Region 'cache': 32 KiB at ${at}`)
    expect(String(region)).toBe(inspect(region))
    expect(inspect(hold)).toMatch(/^Hold of 'cache': 4 KiB at 0x[0-9a-f]+$/)
    expect(inspect(buffer)).toBe("GrowableBuffer 'log': 100 bytes of 64 KiB, 64 KiB Ready")
    expect(inspect(memory)).toBe('Memory of pages: 20 KiB Reserved, 0 bytes Prepared, 76 KiB Ready')
    hold.release()
    region.free()
    buffer.free()
    expect([region, hold, buffer].map((one) => inspect(one))).toEqual([
      "Region 'cache': freed",
      expect.stringMatching(/^Hold of 'cache': .*, released$/),
      "GrowableBuffer 'log': freed",
    ])
    expect(inspect(createMemory(new PageOS(), { ledger: false }))).toBe('Memory of pages, without a ledger')
  })
})

/** Makes a backend that is a plain object. */
function bare(): object {
  const os = new PageOS()
  const names = [
    'sysAllocOS',
    'sysUnusedOS',
    'sysUsedOS',
    'sysHugePageOS',
    'sysFreeOS',
    'sysFaultOS',
    'sysReserveOS',
    'sysMapOS',
    'view',
  ] as const
  return { name: 'bare', traits: os.traits, ...Object.fromEntries(names.map((name) => [name, os[name].bind(os)])) }
}

describe('an engine that cannot detach a buffer', () => {
  it('gets an error before it can make a view', () => {
    const child = runChild(
      `
      delete ArrayBuffer.prototype.transfer
      const { createMemory } = await import('@memlayer/core')
      const { PageOS } = await import('./page-os.ts')
      const os = new PageOS()
      try { createMemory(os) } catch (error) { console.log(error.code, error.message) }
      console.log(createMemory(os, { ledger: false }).sysAlloc(4096, null) > 0, os.calls.length)
      os.detach = () => {}
      console.log(createMemory(os).sysAlloc(4096, null) > 0)
      `,
      { from: import.meta.dirname },
    )
    expect(child.stderr).toBe('')
    expect(child.stdout.split('\n').slice(0, 3)).toEqual([
      'ERR_MEMLAYER_VIEW createMemory: this engine cannot detach an ArrayBuffer, so ' +
        'views of pages memory would outlive their pages. Run on Node 22.12 or later, on Bun or on Deno 2.',
      'true 1',
      'true',
    ])
  })
})

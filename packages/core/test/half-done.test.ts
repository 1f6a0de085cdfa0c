// A call of several steps whose k-th step the OS refuses, for every k. Either nothing has changed, to the account and
// to the pages, or the error tells what has.
import { createMemory, FatalError, OutOfMemoryError, type Memory, type Region } from '@memlayer/core'
import { describe, expect, it } from 'vitest'
import { errorOf } from './errors-of.js'
import { EINVAL, ENOMEM, PageOS, type OSFunction, type Page } from './page-os.js'

const page = 4096
const noMemory = (): FatalError => new FatalError('out of memory', { syscall: 'mmap', errno: 12, errnoName: 'ENOMEM' })

/** An OS that lets core put back what it refused to map or to use, as real ones do. */
class Undoing extends PageOS {
  override sysFaultOS(v: number, n: number): void {
    for (let at = v; at < v + n; at += page) (this.pages.get(at / page) as Page).state = 'Reserved'
  }
  override sysUnusedOS(v: number, n: number): void {
    if (this.#isPrepared(v)) return
    super.sysUnusedOS(v, n)
  }
  #isPrepared(v: number): boolean {
    return this.pages.get(v / page)?.state === 'Prepared'
  }
}

/** What must be as before: the ranges, the sums, and the state of each page. */
function stateOf(memory: Memory, os: PageOS): unknown {
  memory.check()
  const { reserved, prepared, ready, held } = memory.stats().total
  const pages = [...os.pages].map(([number, { state }]) => [number, state]).sort(([a], [b]) => Number(a) - Number(b))
  return { ranges: memory.ranges(), sums: { reserved, prepared, ready, held }, pages }
}

/** Lets the k-th call of `fn` fail from now on; k counts from 1. The function returned tells whether it came. */
function failAt(os: PageOS, fn: OSFunction, k: number): () => boolean {
  let seen = 0
  os.fate = (called) => {
    if (called !== fn || (seen += 1) !== k) return undefined
    return fn === 'sysFreeOS' ? ENOMEM : noMemory()
  }
  return () => {
    os.fate = undefined
    return seen >= k
  }
}

/** Four pages each that are Reserved, Ready, Reserved, Prepared, faulted, Reserved. */
function mixed(memory: Memory): Region {
  const region = memory.reserve(24 * page, { name: 'mixed' })
  region.commit(4 * page, 4 * page)
  region.map(12 * page, 4 * page)
  region.map(16 * page, 4 * page)
  region.fault(16 * page, 4 * page)
  return region
}

describe.each([
  ['where sysUsed only advises', {}],
  ['where sysUsed commits', { unusedTraps: true }],
])('commit of several parts %s', (_, traits) => {
  it.each(['sysMapOS', 'sysUsedOS'] as const)('changes nothing when the k-th %s is refused', (fn) => {
    let refused = 0
    for (let k = 1; k < 20; k++) {
      const os = new Undoing({ traits })
      const memory = createMemory(os)
      const region = mixed(memory)
      const before = stateOf(memory, os)
      const heard: string[] = []
      memory.observe(({ op, outcome }) => heard.push(`${op} ${outcome}`))
      const isFailed = failAt(os, fn, k)
      let error: unknown
      try {
        region.commit()
      } catch (thrown) {
        error = thrown
      }
      if (!isFailed()) break
      refused += 1
      expect(heard).toEqual([`${fn.slice(0, -2)} ${error instanceof OutOfMemoryError ? 'refused' : 'broken'}`])
      expect(stateOf(memory, os), `${fn} ${k}: ${String(error)}`).toEqual(before)
      expect(error).toBeInstanceOf(OutOfMemoryError)
      expect(error).toMatchObject({ op: 'commit', region: 'mixed' })
      region.commit()
      expect(memory.stats().total).toMatchObject({ ready: 24 * page, held: 24 * page })
      memory.check()
    }
    expect(refused).toBe(fn === 'sysMapOS' ? 4 : 'unusedTraps' in traits ? 5 : 1)
  })

  it('tells observers of each part, when all is done', () => {
    const memory = createMemory(new Undoing({ traits }))
    const region = mixed(memory)
    const heard: string[] = []
    memory.observe(({ op, size }) => heard.push(`${op} ${size / page} ${memory.stats().total.ready / page}`))
    region.commit()
    const used = 'unusedTraps' in traits ? [4, 4, 4, 4, 4].map((n) => `sysUsed ${n} 24`) : ['sysUsed 24 24']
    expect(heard).toEqual([...Array<string>(4).fill('sysMap 4 24'), ...used])
  })
})

describe('sysUsed that the OS has no memory for', () => {
  it('is an OutOfMemoryError, and Prepared pages stay so; a mix of Prepared and Ready is a FatalError', () => {
    const os = new Undoing({ traits: { unusedTraps: true } })
    const memory = createMemory(os)
    const region = memory.reserve(4 * page)
    region.commit()
    region.unused(0, 2 * page)
    const before = stateOf(memory, os)
    failAt(os, 'sysUsedOS', 1)
    expect(errorOf(() => region.used(0, 2 * page))).toBeInstanceOf(OutOfMemoryError)
    expect(stateOf(memory, os)).toEqual(before)
    failAt(os, 'sysUsedOS', 1)
    expect(errorOf(() => region.used())).toBeInstanceOf(FatalError)
    expect(stateOf(memory, os)).toEqual(before)
  })
})

describe('free of a region in several parts', () => {
  /** Four parts, of which `ready` many were committed. */
  function parted(memory: Memory, ready: number): Region {
    const region = memory.reserve(16 * page, { name: 'parted' })
    for (let i = 0; i < ready; i++) region.commit(4 * i * page, 2 * page)
    for (let i = 0; i < 3; i++) region.free((4 * i + 3) * page, page)
    return region
  }

  it('changes nothing when the k-th is refused and those before it were only reserved', () => {
    for (let k = 1; k <= 4; k++) {
      const os = new Undoing()
      const memory = createMemory(os)
      const region = parted(memory, 1)
      const before = stateOf(memory, os)
      failAt(os, 'sysFreeOS', k)
      const error = errorOf(() => region.free())
      expect(error).toBeInstanceOf(OutOfMemoryError)
      expect(error.message).not.toContain('were freed before')
      expect(stateOf(memory, os), `free ${k}`).toEqual(before)
      expect(region.disposed).toBe(false)
      region.commit(4 * page, page)
      os.fate = undefined
      region.free()
      expect([memory.ranges(), memory.regions()]).toEqual([[], []])
      memory.check()
    }
  })

  it('tells what was freed before, when that had memory', () => {
    const os = new Undoing()
    const memory = createMemory(os)
    const region = parted(memory, 4)
    failAt(os, 'sysFreeOS', 3)
    const error = errorOf(() => region.free())
    expect(error.message).toContain('24 KiB of it were freed before. Call free() again for the rest.')
    expect(error.hint).toContain('24 KiB of it were freed before.')
    expect(memory.stats().total.reserved + memory.stats().total.ready).toBe(7 * page)
    memory.check()
    os.fate = undefined
    region.free()
    expect(memory.ranges()).toEqual([])
  })

  it('tells what was freed before, when another has its place by now', () => {
    const os = new Undoing()
    const memory = createMemory(os)
    const region = parted(memory, 0)
    let frees = 0
    os.fate = (fn) => {
      if (fn === 'sysFreeOS' && (frees += 1) === 2) return ENOMEM
      return fn === 'sysReserveOS' ? EINVAL : undefined
    }
    expect(errorOf(() => region.free()).message).toContain('12 KiB of it were freed before.')
    os.fate = undefined
    memory.check()
    region.free()
    expect(memory.ranges()).toEqual([])
  })
})

describe('unusedAll that breaks at the k-th range', () => {
  it('tells how many were given back', () => {
    const os = new Undoing({ traits: { unusedTraps: true } })
    const memory = createMemory(os)
    const region = memory.reserve(8 * page)
    region.commit()
    failAt(os, 'sysUnusedOS', 3)
    const error = errorOf(() => region.unusedAll([0, page, 2 * page, page, 4 * page, page, 6 * page, page]))
    expect(error.message).toContain('The first 2 of 4 ranges were given back.')
    expect(memory.stats().total.prepared).toBe(2 * page)
    memory.check()
  })
})

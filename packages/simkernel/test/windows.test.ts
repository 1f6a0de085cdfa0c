// The simulated Windows alone. The run under Wine (tooling/simulated) shows that its answers are kernel32's.
import { residencyBits } from '@memlayer/kernel'
import { simulate, type SimulatedWindowsKernel } from '@memlayer/simkernel'
import { describe, expect, it } from 'vitest'

const page = 4096
const GRANULARITY = 65536
const COMMIT = 0x1000
const RESERVE = 0x2000
const DECOMMIT = 0x4000
const RELEASE = 0x8000
const RESET = 0x80000
const NOACCESS = 1
const READWRITE = 4

describe('reservations', () => {
  it('begin at multiples of 64 KiB, with the hint rounded down', () => {
    const kernel = simulate('windows')
    const v = kernel.virtualAlloc(0, page, RESERVE, READWRITE)
    expect(v % GRANULARITY).toBe(0)
    const next = kernel.virtualAlloc(0, page, RESERVE, READWRITE)
    expect(next % GRANULARITY).toBe(0)
    const hint = v + 8 * GRANULARITY + 5 * page
    expect(kernel.virtualAlloc(hint, page, RESERVE, READWRITE)).toBe(v + 8 * GRANULARITY)
    // The reservation contains the page in question.
    expect(kernel.query(hint)).toMatchObject({ state: 'reserve', allocationBase: v + 8 * GRANULARITY, size: page })
  })

  it('are released whole, at their base, and not by size', () => {
    const kernel = simulate('windows')
    const v = kernel.virtualAlloc(0, 4 * page, RESERVE, READWRITE)
    expect(kernel.virtualFree(v, 4 * page, RELEASE)).toBe(-87)
    expect(kernel.virtualFree(v + page, 0, RELEASE)).toBe(-487)
    expect(kernel.virtualFree(v, 0, RELEASE)).toBe(0)
    expect(kernel.virtualFree(v, 0, RELEASE)).toBe(-487)
    expect(kernel.maps()).toEqual([])
  })

  it('do not overlap', () => {
    const kernel = simulate('windows')
    const v = kernel.virtualAlloc(0, 4 * GRANULARITY, RESERVE, READWRITE)
    expect(kernel.virtualAlloc(v + GRANULARITY, page, RESERVE, READWRITE)).toBe(-487)
  })
})

describe('pages', () => {
  it('can be touched only while committed, and read zero after each commit', () => {
    const kernel = simulate('windows')
    const v = kernel.virtualAlloc(0, 4 * page, RESERVE, READWRITE)
    expect(() => kernel.touch(v, 1)).toThrow('is reserve and was written')
    expect(kernel.virtualAlloc(v + page, page, COMMIT, READWRITE)).toBe(v + page)
    kernel.write(v + page, new Uint8Array([7]))
    expect(kernel.maps().map(({ permissions }) => permissions)).toEqual(['reserve', 'commit PAGE_READWRITE', 'reserve'])
    expect(kernel.virtualFree(v + page, page, DECOMMIT)).toBe(0)
    expect(() => kernel.touch(v + page, 1, 'read')).toThrow('is reserve and was read')
    kernel.virtualAlloc(v + page, page, COMMIT, READWRITE)
    const byte = new Uint8Array([1])
    kernel.read(v + page, byte)
    expect(byte[0]).toBe(0)
  })

  it('are committed and decommitted within one reservation, and a call across two has no effect', () => {
    const kernel = simulate('windows')
    const v = kernel.virtualAlloc(0, GRANULARITY, RESERVE, READWRITE)
    expect(kernel.virtualAlloc(v + GRANULARITY, GRANULARITY, RESERVE, READWRITE)).toBe(v + GRANULARITY)
    expect(kernel.virtualAlloc(v, 2 * GRANULARITY, COMMIT, READWRITE)).toBe(-487)
    kernel.virtualAlloc(v, GRANULARITY, COMMIT, READWRITE)
    kernel.virtualAlloc(v + GRANULARITY, GRANULARITY, COMMIT, READWRITE)
    expect(kernel.virtualFree(v, 2 * GRANULARITY, DECOMMIT)).toBe(-87)
    expect(kernel.committed).toBe(2 * GRANULARITY)
  })

  it('are charged once, and the limit refuses with 1455', () => {
    const kernel = simulate('windows', { limits: { commit: 8 * page } })
    const v = kernel.virtualAlloc(0, 16 * page, RESERVE, READWRITE)
    expect(kernel.virtualAlloc(v, 8 * page, COMMIT, READWRITE)).toBe(v)
    expect(kernel.virtualAlloc(v, 8 * page, COMMIT, READWRITE)).toBe(v)
    expect(kernel.virtualAlloc(v, 9 * page, COMMIT, READWRITE)).toBe(-1455)
    expect(kernel.virtualAlloc(0, page, COMMIT | RESERVE, READWRITE)).toBe(-1455)
    expect(kernel.maps()).toHaveLength(2)
    expect(kernel.limits()).toMatchObject({ commitLimit: 8 * page, commitAvailable: 0 })
    kernel.virtualFree(v, 2 * page, DECOMMIT)
    expect(kernel.virtualAlloc(v + 8 * page, 2 * page, COMMIT, READWRITE)).toBe(v + 8 * page)
    kernel.virtualFree(v, 0, RELEASE)
    expect(kernel.committed).toBe(0)
  })

  it('of PAGE_NOACCESS fault', () => {
    const kernel = simulate('windows')
    const v = kernel.virtualAlloc(0, page, COMMIT | RESERVE, READWRITE)
    const bytes = new Uint8Array(kernel.view(v, page))
    kernel.virtualAlloc(v, page, COMMIT, NOACCESS)
    expect(bytes.length).toBe(0)
    expect(() => kernel.touch(v, 1, 'read')).toThrow('is commit PAGE_NOACCESS and was read')
  })

  it('with memory are told by residency, which knows nothing of the page file', () => {
    const kernel = simulate('windows', { pressure: 0 })
    const v = kernel.virtualAlloc(0, 8 * page, COMMIT | RESERVE, READWRITE)
    expect(kernel.residency?.(v, 8 * page)).toEqual([])
    kernel.touch(v + page, 2 * page)
    kernel.touch(v + 4 * page, page)
    const bits = residencyBits.resident | residencyBits.partial
    const found = [v + page, 2 * page, bits, v + 4 * page, page, bits]
    expect(kernel.residency?.(v, 8 * page)).toEqual(found)
    kernel.virtualFree(v, 4 * page, DECOMMIT)
    expect(kernel.residency?.(v, 8 * page)).toEqual(found.slice(3))
  })

  it('may go after MEM_RESET, contents and all', () => {
    const kernel = simulate('windows', { pressure: 0 })
    const v = kernel.virtualAlloc(0, 2 * page, COMMIT | RESERVE, READWRITE)
    kernel.write(v, new Uint8Array(2 * page).fill(7))
    expect(kernel.virtualAlloc(v, page, RESET, READWRITE)).toBe(v)
    kernel.takeForfeit()
    const bytes = new Uint8Array(2 * page)
    kernel.read(v, bytes)
    expect([bytes[0], bytes[page]]).toEqual([0, 7])
  })

  it.each<[string, Parameters<SimulatedWindowsKernel['virtualAlloc']>, number]>([
    ['no bytes', [0, 0, RESERVE, READWRITE], 87],
    ['no type', [0, page, 0, READWRITE], 87],
    ['an unknown protection', [0, page, RESERVE, 3], 87],
    ['copy on write, which is for files', [0, page, COMMIT | RESERVE, 8], 87],
    ['more than user space', [0, 2 ** 47, RESERVE, READWRITE], 87],
    ['large pages, which need a privilege', [0, page, COMMIT | RESERVE | 0x20000000, READWRITE], 1314],
    ['a commit where nothing is reserved', [0x5000_0000, page, COMMIT, READWRITE], 487],
  ])('of %s are refused', (_, args, error) => {
    const kernel = simulate('windows')
    expect(kernel.virtualAlloc(...args)).toBe(-error)
    expect(kernel.maps()).toEqual([])
  })
})

describe('query', () => {
  it('tells the run of like pages from the page in question', () => {
    const kernel = simulate('windows')
    const v = kernel.virtualAlloc(0, 8 * page, RESERVE, READWRITE)
    kernel.virtualAlloc(v + 2 * page, 2 * page, COMMIT, READWRITE)
    expect(kernel.query(v + page + 5)).toEqual({
      base: v + page,
      allocationBase: v,
      size: page,
      state: 'reserve',
      protect: 0,
    })
    expect(kernel.query(v + 2 * page)).toMatchObject({ size: 2 * page, state: 'commit', protect: READWRITE })
    expect(kernel.query(v - page)).toMatchObject({ allocationBase: 0, state: 'free', size: page })
  })
})

it('takes another commit limit, as of a page file that grew', () => {
  const kernel = simulate('windows', { limits: { commit: page } })
  expect(kernel.virtualAlloc(0, 2 * page, RESERVE | COMMIT, READWRITE)).toBeLessThan(0)
  kernel.setLimits({ commit: 2 * page })
  expect(kernel.virtualAlloc(0, 2 * page, RESERVE | COMMIT, READWRITE)).toBeGreaterThan(0)
  expect(kernel.limits()).toMatchObject({ commitLimit: 2 * page, commitAvailable: 0 })
})

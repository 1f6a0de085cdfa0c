// RLIMIT_DATA on the simulated Linux, and limits that are set while it runs.
import { simulate } from '@memlayer/simkernel'
import { describe, expect, it } from 'vitest'

const page = 4096
const MiB = 2 ** 20

const ANON_PRIVATE = 0x22
const ANON_SHARED = 0x21
const FIXED = 0x10
const RW = 3
const ENOMEM = 12

describe('limits that are set anew', () => {
  it('count private writable memory to RLIMIT_DATA, and refuse more of it', () => {
    const kernel = simulate('linux', { pressure: 0, limits: { dataSize: 4 * MiB } })
    const v = kernel.mmap(0, 3 * MiB, RW, ANON_PRIVATE, -1, 0)
    expect(kernel.limits()).toMatchObject({ dataSize: 4 * MiB, dataSizeUsed: 3 * MiB })
    expect(kernel.mmap(0, 2 * MiB, RW, ANON_PRIVATE, -1, 0)).toBe(-ENOMEM)
    expect(kernel.mmap(0, 2 * MiB, RW, ANON_SHARED, -1, 0)).toBeGreaterThan(0)
    const w = kernel.mmap(0, 2 * MiB, 0, ANON_PRIVATE, -1, 0)
    expect(kernel.mprotect(w, 2 * MiB, RW)).toBe(-ENOMEM)
    expect(kernel.mprotect(w, MiB, RW)).toBe(0)
    expect(kernel.limits().dataSizeUsed).toBe(4 * MiB)
    expect(kernel.mprotect(w, MiB, 0)).toBe(0)
    expect(kernel.munmap(v, MiB)).toBe(0)
    expect(kernel.limits().dataSizeUsed).toBe(2 * MiB)
  })

  it('replace a range without room for it, as Linux counts what is replaced as room', () => {
    const kernel = simulate('linux', { pressure: 0, limits: { dataSize: MiB } })
    const v = kernel.mmap(0, 4 * MiB, 0, ANON_PRIVATE, -1, 0)
    expect(kernel.mmap(v, 4 * MiB, RW, ANON_PRIVATE | FIXED, -1, 0)).toBe(v)
    expect(kernel.limits().dataSizeUsed).toBe(4 * MiB)
    expect(kernel.mmap(0, page, RW, ANON_PRIVATE, -1, 0)).toBe(-ENOMEM)
  })

  it('hold from the next call on, and those that are not named stay', () => {
    const kernel = simulate('linux', { pressure: 0, limits: { lockedMemory: MiB } })
    kernel.setLimits({ memory: 2 ** 50, addressSpace: 2 ** 45 })
    expect(kernel.mmap(0, 2 ** 43, RW, ANON_PRIVATE, -1, 0)).toBeGreaterThan(0)
    expect(kernel.mmap(0, 2 ** 46, 0, ANON_PRIVATE, -1, 0)).toBe(-ENOMEM)
    expect(kernel.limits()).toMatchObject({ lockedMemory: MiB, addressSpace: 2 ** 45 })
    kernel.setLimits({ memory: 16 * MiB, overcommit: 2 })
    expect(kernel.mmap(0, page, RW, ANON_PRIVATE, -1, 0)).toBe(-ENOMEM)
    expect(() => kernel.setLimits({ memory: -1 })).toThrow('limits.memory')
  })
})

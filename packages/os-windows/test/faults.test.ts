// The k-th kernel call fails, for every k of a life. Here it runs over the tests' own kernel, and in
// windows/faults.ts over kernel32.
import { describeOnWindows } from '@memlayer/wine'
import { describe, expect, it } from 'vitest'
import { liveAndFail, type Plan } from './life.ts'
import { pagesKernel } from './pages-kernel.ts'

describeOnWindows('os-windows with the k-th call of kernel32 failing', {
  folder: import.meta.dirname,
  file: 'windows/faults.ts',
})

describe('os-windows with the k-th kernel call failing', () => {
  it.each([
    ['once', 1455],
    ['once', 487],
    ['once', 5],
    ['virtualAlloc', 8],
    ['virtualAlloc', 635],
    ['virtualAlloc', 1454],
    ['virtualAlloc', 1455],
    ['virtualAlloc', 487],
    ['virtualFree', 87],
    ['virtualFree', 5],
  ] as [Plan, number][])('%s, error %i: account and kernel agree for every k', (plan, errno) => {
    const ops = new Set<string>()
    let k = 1
    for (; ; k++) {
      const kernel = pagesKernel()
      const { failed, op } = liveAndFail(kernel, kernel, plan, k, errno)
      if (op !== null) ops.add(op)
      if (failed) continue
      expect(op).toBeNull()
      break
    }
    expect(k).toBeGreaterThan(10)
    // A refused call is made again in pieces and succeeds, except for a piece of one page.
    expect([...ops].sort()).toEqual(
      {
        once: ['sysAlloc', 'sysFault', 'sysFree', 'sysReserveAligned', 'sysUsed'],
        virtualAlloc: ['sysAlloc', 'sysReserve', 'sysReserveAligned', 'sysUsed'],
        virtualFree: ['sysFault', 'sysFree', 'sysReserveAligned', 'sysUnused'],
      }[plan],
    )
  })
})

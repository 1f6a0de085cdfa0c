// The k-th break is refused, for every k of a life on real pages. The error is an OutOfMemoryError, the account is
// right, and no page is lost.
import { createMemory, OutOfMemoryError, type Memory } from '@memlayer/core'
import { plan9Kernel } from '@memlayer/ffi'
import { failCall, record } from '@memlayer/kernel'
import { createOS } from '@memlayer/os-plan9'
import { describe, expect, it } from 'vitest'
import { page } from './walk.js'

const onLinux = process.platform === 'linux'
const MiB = 2 ** 20

/** Reaches the break in every way: new memory, the end by address, an aligned range, a hole that does not fit. */
function live(memory: Memory): void {
  const stat = memory.stat('life')
  const a = memory.sysAlloc(3 * page, stat)
  const b = memory.sysAlloc(5 * page, stat)
  const v = memory.sysReserve(null, 16 * page)
  const w = memory.sysReserve(v + 16 * page, 4 * page)
  memory.sysMap(v, 8 * page, stat)
  memory.sysUsed(v, 8 * page)
  memory.sysUnused(v, 4 * page)
  memory.sysUsed(v, 4 * page)
  memory.sysFault(v + page, page)
  memory.sysFree(a, 3 * page, stat)
  const c = memory.sysAlloc(4 * page, stat)
  const { address, size } = memory.sysReserveAligned(null, MiB, MiB)
  const d = memory.sysAlloc(2 * page, stat)
  memory.sysFree(b, 5 * page, stat)
  memory.sysFree(d, 2 * page, stat)
  memory.sysFree(v, 16 * page, null)
  memory.sysFree(w, 4 * page, null)
  memory.sysFree(c, 4 * page, stat)
  memory.sysFree(address, size, null)
}

describe.skipIf(!onLinux)('os-plan9 with the k-th break refused (on real pages: needs Linux)', () => {
  it('account and allocator agree for every k, and every page below the break can be allocated again', () => {
    let refused = 0
    for (let k = 1; ; k++) {
      const { kernel, calls, take } = record(plan9Kernel({ size: 16 * MiB }))
      const plan = failCall(kernel, k, 12)
      const memory = createMemory(createOS({ kernel: plan.kernel, memDebug: true }))
      let error: unknown
      try {
        live(memory)
      } catch (thrown) {
        error = thrown
        refused += 1
        expect(thrown).toBeInstanceOf(OutOfMemoryError)
        expect(thrown).toMatchObject({
          syscall: 'brk',
          hint: expect.stringContaining('plan9Kernel({ size })') as string,
        })
      }
      memory.check()
      for (const { address, size } of memory.ranges()) memory.sysFree(address, size, null)
      expect(memory.stats().total).toMatchObject({ reserved: 0, prepared: 0, ready: 0, held: 0 })

      const highest = Math.max(
        kernel.end,
        ...calls.filter(({ fn }) => fn === 'brk').map(({ args }) => args[0] as number),
      )
      take()
      for (let pages = (highest - kernel.end) / page; pages > 0; pages--) memory.sysAlloc(page, null)
      expect(take().filter(({ fn }) => fn === 'brk')).toEqual([])
      if (!plan.failed) {
        expect(error).toBeUndefined()
        break
      }
    }
    expect(refused).toBe(6)
  })
})

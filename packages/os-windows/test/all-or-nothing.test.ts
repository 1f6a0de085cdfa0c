// A commit over three reservations, of which the k-th kernel call fails: all of it is Ready, or the account and the
// kernel's pages are as they were.
import { createMemory, FatalError, OutOfMemoryError, type Memory } from '@memlayer/core'
import { failCall } from '@memlayer/kernel'
import { createOS } from '@memlayer/os-windows'
import { describe, expect, it } from 'vitest'
import { checkAccount } from './life.ts'
import { pagesKernel, type PagesKernel } from './pages-kernel.ts'

const KiB = 2 ** 10
const one = 128 * KiB
const all = 3 * one

/** Three mapped reservations side by side. Of the second one, some pages are Ready. */
function neighbours(memory: Memory): number {
  const v = memory.sysReserve(null, one)
  for (const at of [v + one, v + 2 * one]) expect(memory.sysReserve(at, one)).toBe(at)
  memory.sysMap(v, all, memory.stat('test'))
  return v
}

/** The state of every page, to the account and to the kernel. */
function picture(memory: Memory, kernel: PagesKernel, v: number): object {
  const { reserved, prepared, ready, held } = memory.stats().total
  const pages = Array.from({ length: all / 4096 }, (_, i) => kernel.bytesInState('COMMIT', v + i * 4096, 4096))
  return { reserved, prepared, ready, held, pages }
}

describe.each([5, 8, 87, 487, 1455])(
  'os-windows: a commit over three reservations, of which a call fails with %i',
  (errno) => {
    it.each(['Prepared', 'a mix of Prepared and Ready'])('takes all or nothing of what is %s, for every k', (what) => {
      let thrown = 0
      for (let k = 1; ; k++) {
        const kernel = pagesKernel()
        let calls = 0
        let on = false
        const memory = createMemory(
          createOS({
            kernel: {
              ...kernel,
              virtualAlloc: (...args) => (on && (calls += 1) === k ? -errno : kernel.virtualAlloc(...args)),
            },
          }),
        )
        const v = neighbours(memory)
        if (what !== 'Prepared') memory.sysUsed(v + one + 16 * KiB, 32 * KiB)
        const before = picture(memory, kernel, v)
        on = true
        const error = calls < k ? errorOfNone(() => memory.sysUsed(v + 4 * KiB, all - 8 * KiB)) : null
        on = false
        if (error !== null) {
          thrown += 1
          expect(error).toBeInstanceOf([87, 487].includes(errno) ? FatalError : OutOfMemoryError)
          expect(picture(memory, kernel, v)).toEqual(before)
          expect(memory.stats().total.refusals).toBe(error instanceof OutOfMemoryError ? 1 : 0)
        } else expect(kernel.bytesInState('COMMIT', v, all)).toBe(all - 8 * KiB)
        checkAccount(memory, kernel)
        if (calls < k) break
      }
      // A call that is refused with 487 is made again with less.
      if (errno !== 487) expect(thrown).toBeGreaterThan(10)
    })

    it('takes all or nothing of a region, for every k', () => {
      for (let k = 1; ; k++) {
        const kernel = pagesKernel()
        const failing = failCall(kernel, k, errno)
        const memory = createMemory(createOS({ kernel: failing.kernel }))
        const error = errorOfNone(() => {
          const region = memory.reserve(all)
          region.commit(0, one)
          region.unused(32 * KiB, 32 * KiB)
          region.commit(0, all)
        })
        if (error !== null) {
          const state = memory.ranges().map((range) => range.state)
          expect(state.every((name, i) => i === 0 || name !== state[i - 1])).toBe(true)
        }
        checkAccount(memory, kernel)
        if (!failing.failed) break
      }
    })
  },
)

function errorOfNone(run: () => void): unknown {
  let error: unknown = null
  try {
    run()
  } catch (thrown) {
    error = thrown
  }
  return error
}

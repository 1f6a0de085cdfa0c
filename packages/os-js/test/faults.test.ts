// The k-th kernel call fails, for every k of a life, on a real memory. The error has the right class, nothing is
// lost, and the memory works afterwards.
import { createMemory, OutOfMemoryError, type Memory } from '@memlayer/core'
import { failCall } from '@memlayer/kernel'
import { createOS, wasmKernel } from '@memlayer/os-js'
import { describe, expect, it } from 'vitest'
import { withDiscard } from './history/memories.js'
import { PAGE } from './history/shadow.js'

const ENOMEM = 12

/** Makes every transition, with growth in each that can grow. */
function live(memory: Memory): void {
  const stat = memory.stat('life')
  const a = memory.sysAlloc(4 * PAGE, stat)
  const v = memory.sysReserve(null, 16 * PAGE)
  const { address, size } = memory.sysReserveAligned(null, 3 * PAGE, 8 * PAGE)
  memory.sysMap(v, 8 * PAGE, stat)
  memory.sysUsed(v, 4 * PAGE)
  memory.sysUnused(v + PAGE, 2 * PAGE)
  memory.sysUsed(v, 4 * PAGE)
  memory.sysHugePage(v, 4 * PAGE)
  memory.sysFault(v + PAGE, PAGE)
  memory.sysFree(v + 2 * PAGE, 10 * PAGE, stat)
  memory.sysFree(v, 2 * PAGE, stat)
  memory.sysFree(a, 4 * PAGE, stat)
  const again = memory.sysAlloc(64 * PAGE, stat)
  memory.sysFree(again, 64 * PAGE, stat)
  memory.sysFree(v + 12 * PAGE, 4 * PAGE, null)
  memory.sysFree(address, size, null)
}

describe.each([
  ['on an ordinary engine', <T>(make: () => T): T => make()],
  ['on an engine that discards', <T>(make: () => T): T => withDiscard(make)],
])('os-js with the k-th kernel call failing, %s', (_, on) => {
  it('throws OutOfMemoryError for each growth, keeps the account, and can repeat the life', () => {
    const undisturbed = wasmKernel()
    live(createMemory(createOS({ kernel: undisturbed })))
    let refused = 0
    for (let k = 1; ; k++) {
      const plan = failCall(
        on(() => wasmKernel()),
        k,
        ENOMEM,
      )
      const memory = createMemory(createOS({ kernel: plan.kernel }))
      let error: unknown
      try {
        live(memory)
      } catch (thrown) {
        error = thrown
        refused += 1
        expect(thrown).toBeInstanceOf(OutOfMemoryError)
        expect(thrown).toMatchObject({ syscall: 'growMemory', errnoName: 'ENOMEM' })
      }
      memory.check()
      for (const { address, size } of memory.ranges()) memory.sysFree(address, size, null)
      expect(memory.stats().total).toMatchObject({ reserved: 0, prepared: 0, ready: 0, held: 0 })
      const pages = plan.kernel.currentMemory()
      live(memory)
      memory.check()
      // The second life starts from the same state, so it grows no further than an undisturbed one.
      expect(plan.kernel.currentMemory()).toBe(Math.max(pages, undisturbed.currentMemory()))
      if (plan.failed) continue
      expect(error).toBeUndefined()
      break
    }
    expect(refused).toBeGreaterThanOrEqual(4)
  })
})

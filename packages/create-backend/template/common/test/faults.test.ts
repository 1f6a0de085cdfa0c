// The k-th kernel call is refused, for every k of a life: the error is one of the contract's, and the
// account can be proven. A life of your own finds what the suite's does not: add to it.
import { createMemory, MemlayerError, type Memory } from '@memlayer/core'
import { failCall } from '@memlayer/kernel'
import { expect, it } from 'vitest'
import { createOS } from '../dist/index.js'
import { subject } from './subject.js'

function live(memory: Memory): void {
  const stat = memory.stat('life')
  const unit = memory.os.traits.granularity
  const v = memory.sysReserve(null, 8 * unit)
  memory.sysMap(v, 8 * unit, stat)
  memory.sysUsed(v, 4 * unit)
  memory.sysUnused(v, 2 * unit)
  memory.sysUsed(v, 2 * unit)
  memory.sysFault(v, unit)
  memory.sysFree(v, 8 * unit, stat)
}

it('counts right whichever kernel call of a life is refused', () => {
  for (let k = 1; ; k++) {
    const plan = failCall(subject.kernel({ seed: 1 }), k, subject.refusedWith)
    const memory = createMemory(createOS({ kernel: plan.kernel }))
    let error: unknown = null
    try {
      live(memory)
    } catch (thrown) {
      error = thrown
    }
    memory.check()
    if (!plan.failed) {
      expect(error).toBe(null)
      expect(memory.ranges()).toEqual([])
      expect(k).toBeGreaterThan(1)
      return
    }
    // A refusal that a backend may ignore, an advice say, throws nothing.
    if (error !== null) expect(error).toBeInstanceOf(MemlayerError)
  }
})

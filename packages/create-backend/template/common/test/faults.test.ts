// Refuses the k-th kernel call of a life, for every k. The error must be one of the contract's, and the account must be
// right. Add to the life: your own operations find faults that the suite does not find.
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

it('keeps a right account for any refused kernel call of a life', () => {
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
    // The backend may ignore a refusal, for example of advice. Then it throws no error.
    if (error !== null) expect(error).toBeInstanceOf(MemlayerError)
  }
})

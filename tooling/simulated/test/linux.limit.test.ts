// Tests vm.max_map_count. A child process makes mappings on the real Linux until it refuses one more. The simulated
// Linux gets that number as its limit, and must refuse the same calls with the same errnos.
import { simulate } from '@memlayer/simkernel'
import { answersAtTheLimit, type AtTheLimit } from '@memlayer/simulated'
import { runChild } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

describe('at vm.max_map_count', () => {
  it('the simulated Linux refuses the same calls as the real one, with the same errnos', (context) => {
    if (process.platform !== 'linux') return context.skip('needs Linux')
    const child = runChild(
      `
      import { posixKernel } from '@memlayer/ffi'
      import { answersAtTheLimit } from '@memlayer/simulated'
      import { writeSync } from 'node:fs'
      const kernel = posixKernel()
      const { limit } = kernel.mappings()
      writeSync(1, JSON.stringify({ limit, ...answersAtTheLimit(kernel, limit) }))
      `,
      { from: import.meta.dirname },
    )
    expect(child.stderr).toBe('')
    const real = JSON.parse(child.stdout) as AtTheLimit & { limit: number }
    // The simulated process has no mappings of an engine. Each step of the fill adds two mappings. So the real process
    // may have had room for one more mapping, half of the refused split.
    const simulated = [0, 1].map((more) =>
      answersAtTheLimit(simulate('linux', { limits: { maxMappings: real.filled + more } }), real.limit),
    )
    expect(simulated.map(({ filled }) => filled)).toEqual([real.filled, real.filled])
    expect(simulated.map(({ answers }) => answers)).toContainEqual(real.answers)
    expect(real.answers).toContain(-12)
    expect(real.answers).toContain(-11)
    expect(real.answers).toContain(0)
  })
})

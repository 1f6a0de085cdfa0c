// trimHost, over a port that is made up: what the C library would do behind it was not to be run.
import { createMemory } from '@memlayer/core'
import { createOS } from '@memlayer/os-darwin'
import { blankKernel } from '@memlayer/stand-in'
import { describe, expect, it } from 'vitest'

describe('os-darwin, trimHost', () => {
  it('asks the port, and returns by how much resident memory fell', () => {
    let resident = 500
    const trim = (): number => {
      resident = 200
      return 1
    }
    const memory = createMemory(
      createOS({ kernel: { ...blankKernel(16384, {}), trim, residentMemory: () => resident } }),
    )
    expect(memory.trimHost()).toBe(300)
    expect(memory.trimHost()).toBe(0)
  })

  it('is 0 where the port has no such call', () => {
    const os = createOS({ kernel: blankKernel(16384, {}) })
    expect(os.host?.trim).toBe(undefined)
    expect(createMemory(os).trimHost()).toBe(0)
  })
})

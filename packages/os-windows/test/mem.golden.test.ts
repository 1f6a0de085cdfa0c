// Runs Go's own functions over the same kernel, call for call. Only the numbers in messages depart. The replay
// compares Go's words, and bad-input.test.ts tests the sizes.
import { replay, tracesOf } from '@memlayer/golden'
import { createOS } from '@memlayer/os-windows'
import { describe, expect, it } from 'vitest'

describe('os-windows makes the calls that Go makes', () => {
  const traces = tracesOf('windows')

  it('has 20 scenarios to replay', () => {
    expect(traces).toHaveLength(20)
  })

  it.each(traces.map((trace) => [trace.name, trace] as const))('%s', (_, trace) => {
    replay(trace, (kernel) => createOS({ kernel }), { facts: { pageSize: 4096 } })
  })
})

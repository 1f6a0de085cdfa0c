// Runs Go's own functions over the same kernel, call for call. The numbers in messages depart: the replay compares Go's
// words, and bad-input.test.ts tests the sizes. A commit departs that is refused for another reason than that its range
// crosses reservations: Go asks for less and less, and this backend asks once. Wine's 5 says that memory is short.
import { replay, tracesOf, type Trace } from '@memlayer/golden'
import { createOS } from '@memlayer/os-windows'
import { describe, expect, it } from 'vitest'

type Step = Trace['steps'][number]

/** A step up to the first commit that is refused with another number than 487; undefined: there is none. */
function withoutSmallerPieces(step: Step): Step | undefined {
  const calls = step.calls ?? []
  const at = calls.findIndex(({ fn, err = 487 }) => step.op === 'used' && fn === 'VirtualAlloc' && err !== 487)
  if (at < 0) return undefined
  const { err } = calls[at] as (typeof calls)[number]
  return { ...step, calls: calls.slice(0, at + 1), ...(err === 5 ? { throw: 'out of memory' } : {}) }
}

describe('os-windows makes the calls that Go makes', () => {
  const traces = tracesOf('windows')

  it('has 20 scenarios to replay', () => {
    expect(traces).toHaveLength(20)
  })

  it.each(traces.map((trace) => [trace.name, trace] as const))('%s', (_, trace) => {
    replay(trace, (kernel) => createOS({ kernel }), { facts: { pageSize: 4096 }, expect: withoutSmallerPieces })
  })
})

// Runs Go's own functions over the same kernel, call for call. A departure is a step of its own here, and stands in
// the README.
import { replay, tracesOf, type Trace, type TraceStep } from '@memlayer/golden'
import { createOS } from '@memlayer/os-linux'
import { describe, expect, it } from 'vitest'

// Go advises before it looks at the alignment. Here nothing has happened by then.
function checksAlignmentFirst(trace: Trace, step: TraceStep): TraceStep | undefined {
  return trace.name.startsWith('linux: unaligned') && step.throw !== undefined ? { ...step, calls: [] } : undefined
}

describe('os-linux makes the calls that Go makes', () => {
  const traces = tracesOf('linux')

  it('has 33 scenarios to replay', () => {
    expect(traces).toHaveLength(33)
  })

  it.each(traces.map((trace) => [trace.name, trace] as const))('%s', (_, trace) => {
    const { madvdontneed, harddecommit, physHugePageSize } = trace.config
    replay(
      trace,
      (kernel) => createOS({ kernel, madvDontNeed: madvdontneed !== 0, hardDecommit: harddecommit !== 0 }),
      {
        facts: { pageSize: 4096, hugePageSize: physHugePageSize },
        expect: (step) => checksAlignmentFirst(trace, step),
      },
    )
  })
})

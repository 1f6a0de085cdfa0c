// Runs Go's own functions over the same kernel, call for call. The one departure is sysFault, which is a step of
// its own here and stands in the README.
import { replay, tracesOf, type TraceStep } from '@memlayer/golden'
import { createOS } from '@memlayer/os-aix'
import { describe, expect, it } from 'vitest'

// Go maps over the range. AIX refuses that, so Go does nothing.
function faultsByProtection(step: TraceStep): TraceStep | undefined {
  const [mapped] = step.calls ?? []
  if (step.op !== 'fault' || mapped === undefined) return undefined
  const [v = 0, n = 0] = mapped.args ?? []
  const protect = { fn: 'mprotect', args: [v, n, 0], ret: 0, ...(mapped.err === undefined ? {} : { err: mapped.err }) }
  const advise = { fn: 'madvise', args: [v, n, 4], ret: 0 }
  // If the first call is refused, no other follows.
  return { ...step, calls: mapped.err === undefined ? [protect, advise] : [protect] }
}

describe('os-aix makes the calls that Go makes, except in sysFault', () => {
  const traces = tracesOf('aix')

  it('has every recorded trace', () => expect(traces).toHaveLength(14))

  it('departs in the two steps that fault', () => {
    const departures = traces.flatMap(({ steps }) => steps.filter((step) => faultsByProtection(step) !== undefined))
    expect(departures).toHaveLength(2)
    expect(departures.every(({ calls }) => calls?.[0]?.fn === 'mmap')).toBe(true)
  })

  it.each(traces.map((trace) => [trace.name, trace] as const))('%s', (_, trace) => {
    replay(trace, (kernel) => createOS({ kernel }), { facts: { pageSize: 4096 }, expect: faultsByProtection })
  })
})

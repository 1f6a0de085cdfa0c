// Runs Go's own functions over the same kernel, call for call. The one departure is sysFault, which is a step of
// its own here and stands in the README.
import { faultsByProtection, replay, tracesOf } from '@memlayer/golden'
import { createOS } from '@memlayer/os-aix'
import { describe, expect, it } from 'vitest'

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

// Runs Go's own functions over the same kernel, call for call. os-darwin has no departures.
import { replay, tracesOf } from '@memlayer/golden'
import { createOS } from '@memlayer/os-darwin'
import { describe, expect, it } from 'vitest'

describe('os-darwin makes the calls that Go makes', () => {
  const traces = tracesOf('darwin')

  it('has every recorded trace', () => expect(traces).toHaveLength(14))

  it.each(traces.map((trace) => [trace.name, trace] as const))('%s', (_, trace) => {
    replay(trace, (kernel) => createOS({ kernel }), { facts: { pageSize: 16384 } })
  })
})

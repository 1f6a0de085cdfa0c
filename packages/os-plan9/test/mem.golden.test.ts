// Runs Go's own functions over the same kernel, call for call. os-plan9 calls brk and clear as Go does.
import { replay, tracesOf } from '@memlayer/golden'
import { createOS } from '@memlayer/os-plan9'
import { describe, expect, it } from 'vitest'

describe('os-plan9 makes the calls that Go makes', () => {
  const traces = tracesOf('plan9')

  it('has every recorded trace', () => expect(traces).toHaveLength(7))

  it.each(traces.map((trace) => [trace.name, trace] as const))('%s', (_, trace) => {
    replay(trace, (kernel) => createOS({ kernel }), { facts: { pageSize: 4096, end: trace.base ?? 0 } })
  })
})

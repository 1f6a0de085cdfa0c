// Runs Go's own functions over the same kernel, call for call. os-bsd departs in one flag. `bsd` was recorded
// as freebsd. The other flavors change only a row of numbers, so the same traces serve them with those numbers.
import { faultsWithoutSwap, replay, tracesOf, type Trace, type TraceCall } from '@memlayer/golden'
import { createOS, type Flavor } from '@memlayer/os-bsd'
import { describe, expect, it } from 'vitest'

const traces = tracesOf('bsd')
const sunos = tracesOf('solaris')

/** The trace, with advice 5 replaced by `free`, the one number in which these flavors differ from FreeBSD. */
function withFree(trace: Trace, free: number): Trace {
  const told = (call: TraceCall): TraceCall =>
    call.fn === 'madvise' && call.args !== null ? { ...call, args: [...call.args.slice(0, 2), free] } : call
  return { ...trace, steps: trace.steps.map((step) => ({ ...step, calls: step.calls?.map(told) ?? null })) }
}

const columns: [Flavor, Trace[]][] = [
  ['freebsd', traces],
  ['dragonfly', traces],
  ['netbsd', traces.map((trace) => withFree(trace, 6))],
  ['openbsd', traces.map((trace) => withFree(trace, 6))],
  ['solaris', sunos],
  ['illumos', sunos],
]

describe.each(columns)('os-bsd as %s makes the calls that Go makes', (flavor, column) => {
  it('has every recorded trace', () => expect(column).toHaveLength(14))

  it.each(column.map((trace) => [trace.name, trace] as const))('%s', (_, trace) => {
    const expected = column === sunos ? { expect: faultsWithoutSwap } : {}
    replay(trace, (kernel) => createOS({ kernel, flavor }), { facts: { pageSize: 4096 }, ...expected })
  })
})

describe('the flavors differ where Go’s headers do', () => {
  it('MADV_FREE is 6 on NetBSD and OpenBSD only, so FreeBSD’s trace fails there', () => {
    const unused = traces.find((trace) => trace.name.includes('madvise failure')) as Trace
    for (const flavor of ['netbsd', 'openbsd'] as const) {
      expect(() => replay(unused, (kernel) => createOS({ kernel, flavor }), { facts: { pageSize: 4096 } })).toThrow(
        'madvise',
      )
    }
  })

  it('MAP_NORESERVE is passed on Solaris and illumos only', () => {
    const reserve = sunos.find((trace) => trace.name.includes('reserve refused')) as Trace
    for (const flavor of ['freebsd', 'dragonfly', 'netbsd', 'openbsd'] as const) {
      expect(() => replay(reserve, (kernel) => createOS({ kernel, flavor }), { facts: { pageSize: 4096 } })).toThrow(
        'mmap',
      )
    }
  })
})

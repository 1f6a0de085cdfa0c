// Replays every recorded trace on its backend, with a simulated kernel beside the recorded one. The simulated kernels
// get the calls that Go makes, and must return the recorded answers.
import type { OS } from '@memlayer/core'
import {
  faultsByProtection,
  faultsWithoutSwap,
  replay,
  tracesOf,
  type ScriptedKernel,
  type Trace,
  type TraceStep,
} from '@memlayer/golden'
import type { ErrnoFamily, Kernel } from '@memlayer/kernel'
import { createOS as aix } from '@memlayer/os-aix'
import { createOS as bsd } from '@memlayer/os-bsd'
import { createOS as darwin } from '@memlayer/os-darwin'
import { createOS as js } from '@memlayer/os-js'
import { createOS as linux } from '@memlayer/os-linux'
import { createOS as plan9 } from '@memlayer/os-plan9'
import { createOS as windows } from '@memlayer/os-windows'
import { simulate, type Simulated } from '@memlayer/simkernel'
import { beside } from '@memlayer/simulated'
import { describe, expect, it } from 'vitest'

/** How to replay the traces of one system. */
interface Row {
  readonly os: string
  readonly family: ErrnoFamily
  readonly facts: (trace: Trace) => { pageSize: number; hugePageSize?: number; end?: number }
  readonly createOS: (script: ScriptedKernel, trace: Trace) => { os: OS; simulated: Simulated }
  /** Returns the step that the backend does instead of a recorded one, as in its own golden test. */
  readonly expect?: (trace: Trace, step: TraceStep, index: number) => TraceStep | undefined
}

/** Makes a backend over both kernels. */
function over<K extends Kernel & Simulated>(
  script: ScriptedKernel,
  trace: Trace,
  family: ErrnoFamily,
  simulated: K,
  createOS: (kernel: K) => OS,
): { os: OS; simulated: Simulated } {
  return { os: createOS(beside(script, simulated, trace, family)), simulated }
}

const rows: readonly Row[] = [
  {
    os: 'linux',
    family: 'linux',
    facts: ({ config }) => ({ pageSize: 4096, hugePageSize: config.physHugePageSize }),
    createOS: (script, trace) => {
      const { physHugePageSize: hugePageSize, madvdontneed, harddecommit } = trace.config
      return over(script, trace, 'linux', simulate('linux', { hugePageSize }), (kernel) =>
        linux({ kernel, madvDontNeed: madvdontneed !== 0, hardDecommit: harddecommit !== 0 }),
      )
    },
    // Go calls madvise before it checks the alignment.
    expect: (trace, step) =>
      trace.name.startsWith('linux: unaligned') && step.throw !== undefined ? { ...step, calls: [] } : undefined,
  },
  {
    os: 'darwin',
    family: 'darwin',
    facts: () => ({ pageSize: 16384 }),
    createOS: (script, trace) => over(script, trace, 'darwin', simulate('darwin'), (kernel) => darwin({ kernel })),
  },
  {
    os: 'bsd',
    family: 'freebsd',
    facts: () => ({ pageSize: 4096 }),
    createOS: (script, trace) =>
      over(script, trace, 'freebsd', simulate('freebsd'), (kernel) => bsd({ kernel, flavor: 'freebsd' })),
  },
  {
    os: 'solaris',
    family: 'solaris',
    facts: () => ({ pageSize: 4096 }),
    createOS: (script, trace) =>
      over(script, trace, 'solaris', simulate('solaris'), (kernel) => bsd({ kernel, flavor: 'solaris' })),
    expect: (_, step) => faultsWithoutSwap(step),
  },
  {
    os: 'aix',
    family: 'aix',
    facts: () => ({ pageSize: 4096 }),
    createOS: (script, trace) => over(script, trace, 'aix', simulate('aix'), (kernel) => aix({ kernel })),
    expect: (_, step) => faultsByProtection(step),
  },
  {
    os: 'windows',
    family: 'windows',
    facts: () => ({ pageSize: 4096 }),
    createOS: (script, trace) => over(script, trace, 'windows', simulate('windows'), (kernel) => windows({ kernel })),
    expect: (_, step) => withoutSmallerPieces(step),
  },
  {
    os: 'plan9',
    family: 'linux',
    facts: ({ base = 0 }) => ({ pageSize: 4096, end: base }),
    createOS: (script, trace) => {
      const simulated = simulate('plan9', { layout: { end: trace.base ?? 0 } })
      return over(script, trace, 'linux', simulated, (kernel) => plan9({ kernel }))
    },
  },
  {
    os: 'js',
    family: 'linux',
    facts: () => ({ pageSize: 65536, end: 0x2345 }),
    createOS: (script, trace) => {
      const simulated = simulate('wasm', { layout: { end: 0x2345, pages: 4 }, limits: { pages: 1024 } })
      return over(script, trace, 'linux', simulated, (kernel) => js({ kernel }))
    },
  },
]

/** Go asks for less and less whatever the error is. os-windows does so for 487 alone, and takes 5 for out of memory. */
function withoutSmallerPieces(step: TraceStep): TraceStep | undefined {
  const calls = step.calls ?? []
  const at = calls.findIndex(({ fn, err = 487 }) => step.op === 'used' && fn === 'VirtualAlloc' && err !== 487)
  if (at < 0) return undefined
  const isDenied = calls[at]?.err === 5
  return { ...step, calls: calls.slice(0, at + 1), ...(isDenied ? { throw: 'out of memory' } : {}) }
}

// os-js reuses freed memory without a kernel call, but the recordings have a call. Its own golden test has these steps.
const reuses: ReadonlySet<string> = new Set([
  'js: whole life of a region',
  'js: aligned reserve',
  'js: grow to the maximum, then refused',
])

describe.each(rows)('the simulated $os returns the recorded answers', ({ os, facts, createOS, expect: deviation }) => {
  const traces = tracesOf(os).filter(({ name }) => !reuses.has(name))

  it('has traces to replay', () => expect(traces.length).toBeGreaterThan(2))

  it.each(traces.map((trace) => [trace.name, trace] as const))('%s', (_, trace) => {
    let simulated: Simulated | undefined
    const create = (script: ScriptedKernel): OS => {
      const made = createOS(script, trace)
      simulated = made.simulated
      return made.os
    }
    const expected = (step: TraceStep, index: number): TraceStep | undefined => deviation?.(trace, step, index)
    replay(trace, create, { facts: facts(trace), expect: expected })
    expect(simulated?.counters.planned ?? 0).toBeLessThanOrEqual(plannedIn(trace))
  })
})

/** Counts the calls that the recording kernel was told to refuse, and the calls whose address it chose. */
function plannedIn({ steps }: Trace): number {
  const calls = steps.flatMap((step) => step.calls ?? [])
  return calls.filter(({ fn, err }) => err !== undefined || fn === 'mmap' || fn === 'VirtualAlloc').length
}

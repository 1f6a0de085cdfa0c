// Runs Go's own functions over the same kernel, call for call. A departure is a step of its own here, and stands in
// the README.
import { replay, tracesOf, type ScriptedKernel, type Trace, type TraceStep } from '@memlayer/golden'
import { createOS } from '@memlayer/os-js'
import { describe, expect, it } from 'vitest'

const MiB = 2 ** 20
// The end of the recorded module's data.
const end = 0x2345
const facts = { pageSize: 65536, end }

/** The steps that differ from the recorded ones, by the trace's name and the step's number. */
const deviations: Readonly<Record<string, Readonly<Record<number, Partial<TraceStep>>>>> = {
  // Step 0 was refused 1021 pages. Go asks for those again with every later request. Here the end stayed.
  'js: whole life of a region': {
    8: { calls: [asked(4), grown(13, 4), reset()], result: 65536 },
    // So there is memory at b.
    9: { calls: [] },
  },
  // Step 0 gave back the pages before and behind the aligned range. One of them is at the end and need not be grown
  // again.
  'js: aligned reserve': { 1: { calls: [asked(129), refused(2047)] } },
  'js: grow to the maximum, then refused': {
    // Step 3 freed the last four pages.
    4: { calls: [asked(22), refused(1020)] },
    // Go asks for 1025, although one page would do. Here that page is free.
    5: { calls: [asked(22)], result: 1179648 },
  },
}

function deviationOf(trace: Trace, step: TraceStep, index: number): TraceStep | undefined {
  const deviation = deviations[trace.name]?.[index]
  return deviation === undefined ? undefined : { ...step, ...deviation }
}

function asked(pages: number): { fn: string; args: null; ret: number } {
  return { fn: 'currentMemory', args: null, ret: pages }
}

function grown(by: number, before: number): { fn: string; args: number[]; ret: number } {
  return { fn: 'growMemory', args: [by], ret: before }
}

function refused(by: number): { fn: string; args: number[]; ret: number; err: number } {
  return { fn: 'growMemory', args: [by], ret: -1, err: 1 }
}

function reset(): { fn: string; args: null; ret: number } {
  return { fn: 'resetMemoryDataView', args: null, ret: 0 }
}

/** A script has no bytes that could be zeroed when a freed range is handed out again. This adds some. */
function withBytes(kernel: ScriptedKernel, bytes: Uint8Array<ArrayBuffer>): ScriptedKernel {
  return { ...kernel, end, view: () => bytes.buffer }
}

describe('os-js makes the calls that Go makes', () => {
  const traces = tracesOf('js')

  it('has traces to replay', () => {
    expect(traces.length).toBeGreaterThanOrEqual(6)
    const names = traces.map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(Object.keys(deviations)))
  })

  it.each(traces.map((trace) => [trace.name, trace] as const))('%s', (_, trace) => {
    const bytes = new Uint8Array(2 * MiB)
    replay(trace, (kernel) => createOS({ kernel: withBytes(kernel, bytes) }), {
      facts,
      expect: (step, index) => deviationOf(trace, step, index),
    })
  })

  it('zeroes a freed range when it hands it out again, and no byte beside it', () => {
    const trace = traces.find(({ name }) => name === 'js: grow to the maximum, then refused')
    if (trace === undefined) throw new Error('the trace is missing')
    const bytes = new Uint8Array(2 * MiB).fill(0xa5)
    replay(trace, (kernel) => createOS({ kernel: withBytes(kernel, bytes) }), {
      facts,
      expect: (step, index) => deviationOf(trace, step, index),
    })
    const zeroes = bytes.reduce((count, byte) => count + (byte === 0 ? 1 : 0), 0)
    expect(zeroes).toBe(65536)
    expect(bytes.subarray(1179648, 1179648 + 65536).every((byte) => byte === 0)).toBe(true)
  })
})

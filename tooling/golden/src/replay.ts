// Steps through a trace on a backend. The wrappers run as Go's did, without a ledger.
import { createMemory, FatalError, OutOfMemoryError, type Memory, type OS } from '@memlayer/core'
import { Script, type ScriptedFacts, type ScriptedKernel } from './scripted-kernel.js'
import type { Trace, TraceStep } from './trace.js'

/** Makes the backend over the scripted kernel. */
export type CreateOS = (kernel: ScriptedKernel, trace: Trace) => OS

/** How a replay departs from the recording, and where. */
export interface ReplayOptions {
  /** The host's facts. */
  readonly facts: ScriptedFacts
  /** The step to expect in place of a recorded one; `undefined`: as recorded; `null`: not run at all. */
  readonly expect?: (step: TraceStep, index: number) => TraceStep | null | undefined
}

/** How a step ended here. */
type Outcome = { readonly result?: number; readonly size?: number; readonly error?: unknown }

/** Steps through `trace`; throws an Error naming the step at the first call or outcome that is not as recorded. */
export function replay(trace: Trace, createOS: CreateOS, { facts, expect }: ReplayOptions): void {
  const script = new Script()
  const memory = createMemory(createOS(script.kernel(facts), trace), { ledger: false })
  const registers = new Map<string, number>()
  trace.steps.forEach((recorded, index) => {
    // These only told the recording kernel how to answer.
    if (['failfn', 'failat', 'busy'].includes(recorded.op)) return
    const deviation = expect?.(recorded, index)
    if (deviation === null) return
    const step = deviation ?? recorded
    try {
      script.expect(step.calls)
      const outcome = run(memory, step, registers)
      script.end()
      compare(step, outcome)
      if (step.as !== undefined) registers.set(step.as, outcome.result ?? 0)
    } catch (error) {
      throw new Error(`${trace.name}, step ${index} (${step.op}): ${(error as Error).message}`, { cause: error })
    }
  })
}

function run(memory: Memory, step: TraceStep, registers: ReadonlyMap<string, number>): Outcome {
  const { n = 0, align = 0 } = step
  const hasRange = step.at !== undefined || step.off !== undefined
  const v = (step.at === undefined ? 0 : (registers.get(step.at) ?? 0)) + (step.off ?? 0)
  try {
    switch (step.op) {
      case 'alloc':
        return { result: memory.sysAlloc(n, null) }
      case 'unused':
        return done(memory.sysUnused(v, n))
      case 'used':
        return done(memory.sysUsed(v, n))
      case 'huge':
        return done(memory.sysHugePage(v, n))
      case 'free':
        return done(memory.sysFree(v, n, null))
      case 'fault':
        return done(memory.sysFault(v, n))
      case 'reserve':
        return { result: memory.sysReserve(hasRange ? v : null, n) }
      case 'aligned': {
        const { address, size } = memory.sysReserveAligned(hasRange ? v : null, n, align)
        return { result: address, size }
      }
      case 'map':
        return done(memory.sysMap(v, n, null))
      default:
        throw new TypeError(`the trace has an op that is not known: ${step.op}`)
    }
  } catch (error) {
    // Go returns nil where the wrapper throws.
    if (error instanceof OutOfMemoryError) return { result: 0, ...(step.op === 'aligned' ? { size: 0 } : {}) }
    if (error instanceof FatalError) return { error }
    throw error
  }
}

function done(_: void): Outcome {
  return {}
}

function compare(step: TraceStep, outcome: Outcome): void {
  const words = step.throw ?? (step.exit === undefined ? undefined : step.print)
  if (words !== undefined) {
    const expected = words.replace(/^runtime: /, '').trimEnd()
    const message = outcome.error instanceof FatalError ? outcome.error.message : undefined
    if (!message?.startsWith(expected)) throw new Error(`ended with ${message ?? 'no error'}, not with: ${expected}`)
    return
  }
  if (outcome.error !== undefined) throw outcome.error
  if (step.result !== outcome.result) throw new Error(`returned ${outcome.result}, not ${step.result}`)
  if (step.op === 'aligned' && step.size !== outcome.size) throw new Error(`${outcome.size} bytes, not ${step.size}`)
}

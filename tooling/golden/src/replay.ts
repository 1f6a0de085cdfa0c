// Replays a trace on a backend. The wrappers run like Go's, without a ledger.
import { createMemory, FatalError, OutOfMemoryError, type Memory, type OS } from '@memlayer/core'
import { Script, type ScriptedFacts, type ScriptedKernel } from './scripted-kernel.js'
import type { Trace, TraceStep } from './trace.js'

/** Makes the backend over the scripted kernel. */
export type CreateOS = (kernel: ScriptedKernel, trace: Trace) => OS

/** The host's facts, and the steps that differ from the recording. */
export interface ReplayOptions {
  /** The host's facts. */
  readonly facts: ScriptedFacts
  /** Returns the step to expect: `undefined` for the recorded one, another step, or `null` to skip it. */
  readonly expect?: (step: TraceStep, index: number) => TraceStep | null | undefined
}

/** The outcome of a step in the replay. */
type Outcome = { readonly result?: number; readonly size?: number; readonly error?: unknown }

/** Replays `trace`. @throws Error that names the first step whose calls or outcome differ from the recording. */
export function replay(trace: Trace, createOS: CreateOS, { facts, expect }: ReplayOptions): void {
  const script = new Script()
  const memory = createMemory(createOS(script.kernel(facts), trace), { ledger: false })
  const registers = new Map<string, number>()
  trace.steps.forEach((recorded, index) => {
    // These steps only told the recording kernel how to answer.
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
        throw new TypeError(`the trace has the unknown op '${step.op}': add it to replay.ts`)
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
    if (!message?.startsWith(expected))
      throw new Error(`ended with the error '${message ?? ''}', expected '${expected}'`)
    return
  }
  if (outcome.error !== undefined) throw outcome.error
  if (step.result !== outcome.result) throw new Error(`returned ${outcome.result}, expected ${step.result}`)
  if (step.op === 'aligned' && step.size !== outcome.size)
    throw new Error(`returned ${outcome.size} bytes, expected ${step.size}`)
}

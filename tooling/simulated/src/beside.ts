// Runs a recorded kernel and a simulated kernel side by side. It makes each call of a trace on both, and the simulated
// kernel must return the recorded answer.
import type { ScriptedKernel, Trace } from '@memlayer/golden'
import { describeCall, type ErrnoFamily, type Kernel } from '@memlayer/kernel'
import type { Simulated } from '@memlayer/simkernel'

type Function = (...args: number[]) => number | undefined

const ENOMEM = 12
const scriptingOps: ReadonlySet<string> = new Set(['failfn', 'failat', 'busy'])

/**
 * Returns a port over both kernels. If the recording kernel chose an address or was told to refuse, the simulated
 * kernel is told to do so too. It makes every other answer itself.
 */
export function beside<K extends Kernel & Simulated>(
  script: ScriptedKernel,
  simulated: K,
  trace: Trace,
  family: ErrnoFamily,
): K {
  const isScripted = trace.steps.some(({ op }) => scriptingOps.has(op))
  const { maxChunk } = trace.config
  const both = (fn: string): Function => {
    const recorded = (script as unknown as Record<string, Function>)[fn]
    const own = (simulated as unknown as Record<string, Function>)[fn]
    if (recorded === undefined || own === undefined)
      throw new Error(`the trace calls ${fn}, but one of the two kernels does not have it`)
    return (...args) => {
      const ret = recorded.call(script, ...args)
      if (ret === undefined) return own.call(simulated, ...args)
      const isTold = ret < 0 && (isScripted || (maxChunk > 0 && (args[1] ?? 0) > maxChunk))
      if (isTold) simulated.fail({ fn, errno: -ret })
      if (ret > 0 && (fn === 'mmap' || fn === 'virtualAlloc') && ret !== args[0]) simulated.fail({ fn, at: ret })
      const answer = own.call(simulated, ...args)
      // The recording kernel did not track mappings. So it accepted an advice that reaches beyond a mapping.
      if (answer === ret || (fn === 'madvise' && ret === 0 && answer === -ENOMEM)) return ret
      const call = describeCall(family, { fn, args, ret: answer ?? 0 })
      throw new Error(`the simulated kernel answers ${call}, but the recording has ${ret}\n${simulated.describe()}`)
    }
  }
  const calls = ['mmap', 'munmap', 'mprotect', 'madvise', 'virtualAlloc', 'virtualFree', 'brk', 'clear']
  const wasm = ['currentMemory', 'growMemory', 'resetMemoryDataView']
  const port: Record<string, unknown> = {}
  for (const fn of [...calls, ...wasm]) if (fn in simulated) port[fn] = both(fn)
  // Facts and bytes come from the simulated kernel. The port has no batched calls, because no trace has one.
  for (const name of ['pageSize', 'hugePageSize', 'allocationGranularity', 'arch', 'end', 'maximum'] as const) {
    if (name in simulated) port[name] = (simulated as unknown as Record<string, unknown>)[name]
  }
  port['view'] = (v: number, n: number): ArrayBuffer => simulated.view(v, n)
  return port as unknown as K
}

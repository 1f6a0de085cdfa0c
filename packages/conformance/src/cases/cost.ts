// Kernel calls that change nothing: a function that makes the same call twice in a row costs its caller twice.
import type { KernelCall } from '@memlayer/kernel'
import { claim } from '../claim.js'
import { notRun, type Definition } from '../definition.js'
import { ready } from './transitions.js'

/** The first call that was made twice in a row, though the kernel had done it. */
function repeated(calls: readonly KernelCall[]): KernelCall | undefined {
  return calls.find((call, i) => {
    const before = calls[i - 1]
    return before?.fn === call.fn && before.ret >= 0 && call.args.length > 0 && before.args.join() === call.args.join()
  })
}

export const costCases: readonly Definition[] = [
  {
    id: 'cost/no-repeats',
    title:
      'sysUnused, sysUsed, sysHugePage, sysNoHugePage, sysPopulate, sysRenew, sysRetire, sysFault, sysMap, sysFree: ' +
      'make no kernel call twice in a row',
    show: (world) =>
      world.play((stage) => {
        const { memory, os, takeCalls } = stage
        if (takeCalls() === null) return notRun('the subject has no kernel to watch')
        const huge = os.traits.hugePageSize
        const n = Math.max(4 * stage.unit, 4 * huge)
        const v = ready(stage, n / stage.unit, 1)
        const [w, part] = [v + stage.unit, n - 2 * stage.unit]
        const steps: Readonly<Record<string, () => unknown>> = {
          sysHugePage: () => os.sysHugePageOS(v, n),
          sysNoHugePage: () => os.sysNoHugePageOS?.(v, n),
          sysPopulate: () => os.sysPopulateOS?.(v, n),
          sysUnused: () => memory.sysUnused(w, part),
          sysUsed: () => memory.sysUsed(w, part),
          sysRenew: () => os.sysRenewOS?.(w, part),
          sysRetire: () => os.sysRetireOS?.(w, part, true),
          sysFault: () => memory.sysFault(v, n),
          sysMap: () => memory.sysMap(v, n, null),
          sysFree: () => memory.sysFree(v, n, null),
        }
        for (const [name, step] of Object.entries(steps)) {
          takeCalls()
          step()
          const twice = repeated(takeCalls() ?? [])
          claim(twice === undefined, `${name} makes the call ${twice?.fn}(${twice?.args.join(', ')}) twice in a row`)
        }
        return undefined
      }),
  },
]

// Kernel calls that change nothing: a function that makes a call twice costs its caller twice.
import type { KernelCall } from '@memlayer/kernel'
import { claim } from '../claim.js'
import { notRun, type Definition } from '../definition.js'
import { ready } from './transitions.js'

/** The first call that was made a second time, though the kernel had done it. */
function repeated(calls: readonly KernelCall[]): KernelCall | undefined {
  const done = new Set<string>()
  return calls.find(({ fn, args, ret }) => {
    const text = `${fn}(${args.join()})`
    if (done.has(text) && args.length > 0) return true
    if (ret >= 0) done.add(text)
    return false
  })
}

export const costCases: readonly Definition[] = [
  {
    id: 'cost/no-repeats',
    title:
      'sysUnused, sysUsed, sysHugePage, sysNoHugePage, sysPopulate, sysRenew, sysRetire, sysFault, sysMap, sysFree: ' +
      'make no kernel call twice',
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
          claim(twice === undefined, `${name} makes the call ${twice?.fn}(${twice?.args.join(', ')}) twice`)
        }
        return undefined
      }),
  },
]

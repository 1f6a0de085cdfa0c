// sysHugePage, and huge pages during other transitions: a hint may never change a byte.
import { claimBytes, claimBytesAmong, fill } from '../bytes.js'
import { same } from '../claim.js'
import { absent, notRun, type Definition } from '../definition.js'
import { claimTrap, ready } from './transitions.js'

export const hugePageCases: readonly Definition[] = [
  {
    id: 'huge-pages/no-transition',
    title: 'sysHugePage: changes no state: contents stay, and a range that faults still faults',
    show: (world) =>
      world.play((stage) => {
        const { memory, os, unit } = stage
        const n = 4 * unit
        const v = ready(stage, 4, 1)
        memory.sysHugePage(v, n)
        claimBytes(os, v, n, 1, 'Ready memory')
        memory.sysUnused(v, n)
        memory.sysHugePage(v, n)
        memory.sysUsed(v, n)
        claimBytesAmong(os, v, n, os.traits.unusedDropsContents ? [0] : [0, 1], 'memory that was Prepared')
        const reserved = memory.sysReserve(null, n)
        memory.sysHugePage(reserved, n)
        return claimTrap(stage, reserved, 'reservedTraps')?.status === 'not run'
          ? notRun('needs a witness that tells whether a touch faults')
          : undefined
      }),
  },
  {
    id: 'huge-pages/none',
    title: 'sysHugePage: makes no kernel call when the huge page size is 0 or unknown',
    show: (world) =>
      world.play((stage) => {
        if (stage.os.traits.hugePageSize !== 0) return absent('hugePageSize is not 0')
        const v = ready(stage, 4, 1)
        const before = stage.takeCalls()
        if (before === null) return notRun('the subject has no kernel to watch')
        stage.memory.sysHugePage(v, 4 * stage.unit)
        same(stage.takeCalls()?.length, 0, 'kernel calls of sysHugePage')
        return undefined
      }),
  },
  {
    id: 'huge-pages/cut',
    title: 'sysUnused: gives back its part of a huge page, and leaves the rest',
    show: (world) =>
      world.play((stage) => {
        const { memory, os, pageSize } = stage
        const huge = os.traits.hugePageSize
        if (huge === 0) return absent('hugePageSize')
        const { address: v, size } = memory.sysReserveAligned(null, 3 * huge, huge)
        memory.sysMap(v, size, null)
        memory.sysUsed(v, size)
        memory.sysHugePage(v, size)
        fill(os, v, 3 * huge, 6)
        memory.sysHugePage(v, size)
        claimBytes(os, v, 3 * huge, 6, 'what was written before sysHugePage')
        const from = v + huge / 2 + pageSize
        const to = v + 2 * huge + pageSize
        memory.sysUnused(from, to - from)
        claimBytes(os, v, from - v, 6, 'what lies before the part')
        claimBytes(os, to, v + 3 * huge - to, 6, 'what lies after the part')
        memory.sysUsed(from, to - from)
        claimBytesAmong(os, from, to - from, os.traits.unusedDropsContents ? [0] : [0, 6], 'the part')
        return undefined
      }),
  },
  {
    id: 'huge-pages/whole',
    title: 'sysHugePage: advises only the whole huge pages within the range',
    show: (world) =>
      world.play((stage) => {
        const { memory, os, pageSize } = stage
        const huge = os.traits.hugePageSize
        if (huge === 0) return absent('hugePageSize')
        const { address: v, size } = memory.sysReserveAligned(null, 4 * huge, huge)
        memory.sysMap(v, size, null)
        memory.sysUsed(v, size)
        if (stage.takeCalls() === null) return notRun('the subject has no kernel to watch')
        memory.sysHugePage(v + pageSize, huge)
        same(stage.takeCalls()?.length, 0, 'kernel calls for a range with no whole huge page in it')
        memory.sysHugePage(v + pageSize, 3 * huge)
        const advised = stage.takeCalls()?.map(({ args: [at = 0, n = 0] }) => `${(at - v) / huge}+${n / huge}`)
        same(advised?.join(), '1+2', 'the huge pages that were advised')
        return undefined
      }),
  },
]

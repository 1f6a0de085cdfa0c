// sysFault, for debugging: the range faults from now on and stays owned.
import { claimBytes, fill } from '../bytes.js'
import { claim, same } from '../claim.js'
import { absent, notRun, type Definition } from '../definition.js'
import { claimTrap, ready } from './transitions.js'

export const faultCases: readonly Definition[] = [
  {
    id: 'fault/traps',
    title: 'sysFault: an access to any page of the range faults, if the trait says so',
    show: (world) =>
      world.play((stage) => {
        const { memory, os, unit, pageSize, witness } = stage
        const v = ready(stage, 8, 1)
        memory.sysFault(v, 8 * unit)
        const verdict = claimTrap(stage, v, 'faultTraps')
        if (!os.traits.faultTraps) return verdict
        for (let at = 0; at < 8 * unit; at += pageSize) {
          claim(witness.faults?.(v + at, 'read') ?? true, `the page at offset ${at} does not fault`)
        }
        return verdict
      }),
  },
  {
    id: 'fault/prepared',
    title: 'sysFault: accepts Prepared memory as well as Ready',
    show: (world) =>
      world.play((stage) => {
        const v = ready(stage, 8, 1)
        stage.memory.sysUnused(v, 4 * stage.unit)
        stage.memory.sysFault(v, 8 * stage.unit)
        // Exactly what was given back, and what was never Ready.
        const w = ready(stage, 8, 1)
        stage.memory.sysUnused(w, 8 * stage.unit)
        stage.memory.sysFault(w, 8 * stage.unit)
        const x = stage.memory.sysReserve(null, 8 * stage.unit)
        stage.memory.sysMap(x, 8 * stage.unit, null)
        stage.memory.sysFault(x, 8 * stage.unit)
        for (const at of [w, x, w + 7 * stage.unit, x + 7 * stage.unit]) claimTrap(stage, at, 'faultTraps')
        return claimTrap(stage, v, 'faultTraps')
      }),
  },
  {
    id: 'fault/held',
    title: 'sysFault: the range stays owned, in the kernel too',
    show: (world) =>
      world.play((stage) => {
        const { memory, unit, witness } = stage
        if (witness.held === undefined) return notRun('needs a witness that tells what the kernel holds')
        const v = ready(stage, 8, 1)
        memory.sysFault(v + unit, 4 * unit)
        same(witness.held(v, 8 * unit), 8 * unit, 'what the kernel holds')
        return undefined
      }),
  },
  {
    id: 'fault/returns-memory',
    title: 'sysFault: the range costs no memory any more',
    show: (world) =>
      world.play((stage) => {
        const { memory, os, unit, witness } = stage
        if (!os.traits.faultTraps) return absent('faultTraps')
        if (!os.traits.unusedReturnsMemory) return absent('unusedReturnsMemory')
        if (witness.resident === undefined) return notRun('needs a witness that tells what is resident')
        const v = ready(stage, 8, 1)
        memory.sysFault(v, 8 * unit)
        witness.takeForfeit?.()
        same(witness.resident(v, 8 * unit), 0, 'resident bytes')
        return undefined
      }),
  },
  {
    id: 'fault/mapped-again',
    title: 'sysFault: the range becomes Reserved, and sysMap and sysUsed make it Ready again',
    show: (world) =>
      world.play((stage) => {
        const { memory, os, unit } = stage
        const v = ready(stage, 8, 1)
        memory.sysFault(v + 2 * unit, 4 * unit)
        memory.sysMap(v + 2 * unit, 4 * unit, null)
        memory.sysUsed(v + 2 * unit, 4 * unit)
        fill(os, v + 2 * unit, 4 * unit, 2)
        claimBytes(os, v, 2 * unit, 1, 'what lies before')
        claimBytes(os, v + 2 * unit, 4 * unit, 2, 'what was faulted, mapped and written')
        claimBytes(os, v + 6 * unit, 2 * unit, 1, 'what lies after')
      }),
  },
]

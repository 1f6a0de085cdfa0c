// sysFree: moves a range from any state to None, as a whole or in parts, and leaves nothing of it.
import { claimBytes, fill } from '../bytes.js'
import { claim, claimOutcome, same, thrownBy } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import type { Stage } from '../stage.js'
import { besideOthers } from './others.js'
import { neighbours, ready } from './transitions.js'

/** Makes a range in each state that sysFree accepts, by name. */
const states: Readonly<Record<string, (stage: Stage) => number>> = {
  Reserved: ({ memory, unit }) => memory.sysReserve(null, 4 * unit),
  'mapped and never used': ({ memory, unit }) => {
    const v = memory.sysReserve(null, 4 * unit)
    memory.sysMap(v, 4 * unit, null)
    return v
  },
  Ready: (stage) => ready(stage, 4, 1),
  Prepared: (stage) => {
    const v = ready(stage, 4, 1)
    stage.memory.sysUnused(v, 4 * stage.unit)
    return v
  },
  Faulted: (stage) => {
    const v = ready(stage, 4, 1)
    stage.memory.sysFault(v, 4 * stage.unit)
    return v
  },
  'of all states': (stage) => {
    const v = ready(stage, 4, 1)
    stage.memory.sysUnused(v + stage.unit, stage.unit)
    stage.memory.sysFault(v + 2 * stage.unit, stage.unit)
    return v
  },
}

/** What becomes of Ready memory before it is freed, by the name of the state. */
const leavings: Readonly<Record<string, (stage: Stage, v: number) => void>> = {
  Ready: ({ memory, unit }, v) => memory.sysUsed(v, 4 * unit),
  Prepared: ({ memory, unit }, v) => memory.sysUnused(v, 4 * unit),
  Faulted: ({ memory, unit }, v) => memory.sysFault(v, 4 * unit),
  'of all states': ({ memory, unit }, v) => {
    memory.sysUnused(v + unit, unit)
    memory.sysFault(v + 2 * unit, unit)
  },
}

/** How much was freed at the end of the memory, and how much of that is asked for again, in units. */
const freedAtTheEnd = [
  [10, 8],
  [10, 10],
  [1, 1],
  [64, 3],
] as const

/** What other code takes lies above all that was freed, so a backend that looks only at the end loses what is below. */
function belowOthers(world: World): Verdict | undefined {
  return besideOthers(world, (stage, grow, pagesNow) => {
    const { memory, unit } = stage
    for (const [freed, again] of freedAtTheEnd) {
      const kept = ready(stage, 1, 5)
      const v = ready(stage, freed, 6)
      memory.sysFree(v, freed * unit, null)
      grow(1)
      const before = pagesNow()
      const w = memory.sysAlloc(again * unit, null)
      same(
        pagesNow(),
        before,
        `the pages of the memory after ${again} units were taken, and ${freed} were free below the pages of other code`,
      )
      memory.sysFree(w, again * unit, null)
      memory.sysFree(kept, unit, null)
    }
    return undefined
  })
}

/** Pieces that lie apart when every second one is freed. */
const PIECES = 3000

function manyPieces(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { memory, unit, witness } = stage
    if (witness.total === undefined) return notRun('needs a witness that tells all that the kernel holds')
    const reserve = (): number => memory.sysReserve(null, unit)
    // A memory that grows does so once, because each growth may copy all of it.
    memory.sysFree(memory.sysReserve(null, PIECES * unit), PIECES * unit, null)
    const pieces = Array.from({ length: PIECES }, reserve)
    const before = witness.total()
    for (const v of pieces.filter((_, i) => i % 2 === 0)) memory.sysFree(v, unit, null)
    for (let i = 0; i < PIECES; i += 2) reserve()
    same(
      witness.total(),
      before,
      `what the kernel holds when ${PIECES / 2} pieces of ${PIECES} were freed and taken again`,
    )
    return undefined
  })
}

export const freeCases: readonly Definition[] = [
  {
    id: 'free/any-state',
    title: 'sysFree: accepts a range in any state, and then the kernel holds nothing of it',
    show: (world) =>
      world.play((stage) => {
        const { memory, os, unit, witness } = stage
        for (const [name, make] of Object.entries(states)) {
          const v = make(stage)
          memory.sysFree(v, 4 * unit, null)
          same(memory.ranges().length, 0, `ranges after a free of memory that was ${name}`)
          if (witness.held === undefined || !os.traits.reservedTraps) continue
          same(witness.held(v, 4 * unit), 0, `what the kernel holds of memory that was ${name}`)
        }
        if (witness.held === undefined) return notRun('needs a witness that tells what the kernel holds')
        return os.traits.reservedTraps ? undefined : absent('reservedTraps')
      }),
  },
  {
    id: 'free/no-leak',
    title: 'sysFree: leaks nothing: after a hundred rounds the kernel holds as much as after one',
    show: (world) =>
      world.play((stage) => {
        const { memory, unit, witness } = stage
        if (witness.total === undefined) return notRun('needs a witness that tells all that the kernel holds')
        const round = (): void => {
          const v = memory.sysAlloc(8 * unit, null)
          const w = ready(stage, 8, 1)
          memory.sysFree(v, 8 * unit, null)
          memory.sysFree(w, 8 * unit, null)
        }
        round()
        const after = witness.total()
        for (let i = 0; i < 100; i++) round()
        same(witness.total(), after, 'what the kernel holds after a hundred rounds more')
        return undefined
      }),
  },
  {
    id: 'free/in-parts',
    title: 'sysFree: accepts any whole pages of a reservation if the trait says so, else only all of it',
    show: (world) =>
      world.play((stage) => {
        const { memory, os, unit, pageSize, witness } = stage
        const v = ready(stage, 12, 9)
        if (!os.traits.freesParts) {
          stage.takeCalls()
          for (const [from, n] of [
            [0, 4],
            [4, 4],
            [8, 4],
          ] as const) {
            claimOutcome(
              thrownBy(() => memory.sysFree(v + from * unit, n * unit, null)),
              ['UsageError'],
              'a free of a part',
            )
          }
          same(stage.takeCalls()?.length ?? 0, 0, 'kernel calls for a free of a part')
          claimBytes(os, v, 12 * unit, 9, 'a reservation of which no part was freed')
          return absent('freesParts')
        }
        memory.sysFree(v + 4 * unit, 3 * unit + pageSize, null)
        claimBytes(os, v, 4 * unit, 9, 'what lies before the part')
        const rest = v + 7 * unit + pageSize
        claimBytes(os, rest, v + 12 * unit - rest, 9, 'what lies after the part')
        if (witness.held !== undefined && os.traits.reservedTraps) {
          same(witness.held(v, 12 * unit), 12 * unit - 3 * unit - pageSize, 'what the kernel holds of the reservation')
        }
        memory.sysFree(rest, v + 12 * unit - rest, null)
        memory.sysFree(v, 4 * unit, null)
        same(memory.stats().total.ready, 0, 'Ready bytes when all parts are freed')
        return undefined
      }),
  },
  {
    id: 'free/across-reservations',
    title: 'sysFree: frees neighbors in different states at once, if the trait says so',
    show: (world) =>
      world.play((stage) => {
        const { memory, os, unit, witness } = stage
        const v = memory.sysReserve(null, 4 * unit)
        memory.sysMap(v, 4 * unit, null)
        if (!os.traits.freesParts) return absent('freesParts')
        // Use the parts of one reservation as neighbours, because every kernel has those.
        memory.sysUsed(v, unit)
        memory.sysFault(v + unit, unit)
        memory.sysFree(v, 4 * unit, null)
        if (os.traits.reservedTraps && witness.held !== undefined)
          same(witness.held(v, 4 * unit), 0, 'what the kernel holds')
        // Reservations of their own side by side, where the kernel has them.
        const w = neighbours(stage, 4 * unit)
        if (w === null) return undefined
        memory.sysFree(w, 8 * unit, null)
        if (os.traits.reservedTraps && witness.held !== undefined)
          same(witness.held(w, 8 * unit), 0, 'what the kernel holds of two reservations that were freed at once')
        return undefined
      }),
  },
  {
    id: 'free/parts-no-leak',
    title: 'sysFree: a reservation that is freed in parts, its middle first, leaks nothing',
    show: (world) =>
      world.play((stage) => {
        const { memory, os, unit, witness } = stage
        if (!os.traits.freesParts) return absent('freesParts')
        if (witness.total === undefined) return notRun('needs a witness that tells all that the kernel holds')
        const round = (): void => {
          const v = ready(stage, 64, 1)
          memory.sysFree(v + unit, 62 * unit, null)
          memory.sysFree(v, unit, null)
          memory.sysFree(v + 63 * unit, unit, null)
        }
        // A free list may need some rounds until its blocks fit.
        for (let i = 0; i < 20; i++) round()
        const after = witness.total()
        for (let i = 0; i < 20; i++) round()
        same(witness.total(), after, 'what the kernel holds after twenty rounds more')
        return undefined
      }),
  },
  {
    id: 'free/below-others',
    title: 'sysFree: what was freed is handed out again, though other code has taken the addresses above it',
    show: belowOthers,
  },
  {
    id: 'free/others-stay',
    title: 'sysFree: changes no other range',
    show: (world) =>
      world.play((stage) => {
        const { memory, os, unit } = stage
        const all = Array.from({ length: 24 }, (_, i) => ({ v: ready(stage, 2, i + 1), byte: i + 1 }))
        for (const { v } of all.filter((_, i) => i % 2 === 0)) memory.sysFree(v, 2 * unit, null)
        for (const { v, byte } of all.filter((_, i) => i % 2 === 1))
          claimBytes(os, v, 2 * unit, byte, `range ${byte} of 24`)
        claim(memory.ranges().length > 0, 'nothing is left')
      }),
  },
  {
    id: 'free/many-pieces',
    title: `sysFree: each of ${PIECES / 2} ranges that lie apart can be had again`,
    show: manyPieces,
  },
  {
    id: 'free/retired',
    title: 'sysRetireOS: keeps addresses that JavaScript has seen: they hold no memory, and a late access finds zeroes',
    show: (world) =>
      world.play((stage) => {
        const { memory, os, unit, witness } = stage
        if (os.sysRetireOS === undefined) {
          same(os.quarantine, undefined, 'the quarantine of a backend without sysRetireOS')
          return absent('sysRetireOS')
        }
        for (const [name, leave] of Object.entries(leavings)) {
          const v = ready(stage, 4, 6)
          memory.view(Uint8Array, v, 4 * unit)
          leave(stage, v)
          const { retired } = memory.stats()
          memory.sysFree(v, 4 * unit, null)
          same(memory.stats().retired - retired, 4 * unit, `bytes that were retired of memory that was ${name}`)
          // Where Prepared pages trap, a witness may count what is committed, and retired pages are.
          if (witness.resident !== undefined && !os.traits.unusedTraps) {
            same(witness.resident(v, 4 * unit), 0, `resident bytes of retired memory that was ${name}`)
          }
          claimBytes(os, v, 4 * unit, 0, `retired memory that was ${name}`)
          fill(os, v, 4 * unit, 5)
          same(os.sysRetireOS(v, 4 * unit, true), true, 'sysRetireOS, a second time')
          claimBytes(os, v, 4 * unit, 0, `retired memory that was ${name}, written late`)
        }
        return undefined
      }),
  },
]

// Each transition of mem.go on its own: its effect on the range, and no effect beside it.
import { formatAddress } from '@memlayer/core'
import { isAligned, type Address } from '@memlayer/kernel'
import { claimBytes, claimBytesAmong, fill, withBytes } from '../bytes.js'
import { claim, rangeText } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import type { Stage } from '../stage.js'

/** Makes a Ready range of `units` units and fills it with `byte`. */
export function ready({ memory, os, unit }: Stage, units: number, byte: number): Address {
  const n = units * unit
  const v = memory.sysReserve(null, n)
  memory.sysMap(v, n, null)
  memory.sysUsed(v, n)
  fill(os, v, n, byte)
  return v
}

/** Whether sysUsed on a mix must keep the contents of its Ready part. */
export function keepsReady(world: World): boolean {
  return world.subject.usedKeepsReady ?? true
}

/** Checks that a read of the byte at `v` traps exactly when the trait says so. */
export function claimTrap(
  stage: Stage,
  v: Address,
  trait: 'reservedTraps' | 'unusedTraps' | 'faultTraps',
): Verdict | undefined {
  const { os, witness } = stage
  if (witness.faults === undefined) return notRun('needs a witness that tells whether a touch faults')
  const does = witness.faults(v, 'read')
  claim(
    does === os.traits[trait],
    `a read at ${formatAddress(v)} ${does ? 'faults' : 'does not fault'}, but ${trait} is ${os.traits[trait]}`,
  )
  return os.traits[trait] ? undefined : absent(trait)
}

function apart(
  world: World,
  obtain: (stage: Stage, n: number) => Address,
  clear: (stage: Stage, v: Address, n: number) => void,
): void {
  world.play((stage) => {
    const taken: [Address, number][] = []
    for (let i = 0; i < 48; i++) {
      const n = (1 + (i % 5)) * stage.unit
      const v = obtain(stage, n)
      claim(
        isAligned(v, stage.os.traits.granularity),
        `${rangeText(v, n)} does not begin at a multiple of ${stage.os.traits.granularity}`,
      )
      claim(v > 0, `address ${v} was handed out, but 0 means that there is no address`)
      const other = taken.find(([w, m]) => v < w + m && w < v + n)
      claim(other === undefined, `${rangeText(v, n)} was handed out while ${rangeText(...(other ?? [0, 0]))} was owned`)
      taken.push([v, n])
      // Make holes of several sizes, so that freed memory is handed out again.
      if (i % 3 === 2) clear(stage, ...(taken.splice(i % taken.length, 1)[0] as [Address, number]))
    }
  })
}

export const transitionCases: readonly Definition[] = [
  {
    id: 'alloc/ready',
    title: 'sysAlloc: None to Ready, zeroed and writable from end to end',
    show: (world) =>
      world.play(({ memory, os, unit, pageSize }) => {
        for (const n of [pageSize, unit, 7 * unit, 64 * unit]) {
          const v = memory.sysAlloc(n, null)
          claimBytes(os, v, n, 0, `${n} bytes, new`)
          fill(os, v, n, 0xa5)
          claimBytes(os, v, n, 0xa5, `${n} bytes, written`)
        }
      }),
  },
  {
    id: 'alloc/touchable',
    title: 'sysAlloc: every page can be read and written',
    show: (world) =>
      world.play(({ memory, witness, unit, pageSize }) => {
        if (witness.faults === undefined) return notRun('needs a witness that tells whether a touch faults')
        const v = memory.sysAlloc(4 * unit, null)
        for (let at = 0; at < 4 * unit; at += pageSize) {
          claim(!witness.faults(v + at, 'write'), `the page at offset ${at} of an allocation faults when it is written`)
        }
        return undefined
      }),
  },
  {
    id: 'alloc/apart',
    title: 'sysAlloc: never hands out owned memory, and begins at a multiple of the granularity',
    show: (world) =>
      void apart(
        world,
        ({ memory }, n) => memory.sysAlloc(n, null),
        ({ memory }, v, n) => memory.sysFree(v, n, null),
      ),
  },
  {
    id: 'reserve/apart',
    title: 'sysReserve: never hands out owned memory, and begins at a multiple of the granularity',
    show: (world) =>
      void apart(
        world,
        ({ memory }, n) => memory.sysReserve(null, n),
        ({ memory }, v, n) => memory.sysFree(v, n, null),
      ),
  },
  {
    id: 'reserve/traps',
    title: 'sysReserve: an access to Reserved memory faults, if the trait says so',
    show: (world) =>
      world.play((stage) => claimTrap(stage, stage.memory.sysReserve(null, 4 * stage.unit), 'reservedTraps')),
  },
  {
    id: 'reserve/no-memory',
    title: 'sysReserve: address space alone costs no memory',
    show: (world) =>
      world.play(({ memory, os, witness, unit }) => {
        if (!os.traits.reservedTraps) return absent('reservedTraps')
        if (witness.resident === undefined) return notRun('needs a witness that tells what is resident')
        const n = 64 * unit
        const resident = witness.resident(memory.sysReserve(null, n), n)
        claim(resident === 0, `${resident} of ${n} Reserved bytes are resident`)
        return undefined
      }),
  },
  {
    id: 'map/ready',
    title: 'sysMap and sysUsed: Reserved to Ready, zeroed and writable from end to end',
    show: (world) =>
      world.play(({ memory, os, unit }) => {
        const n = 16 * unit
        const v = memory.sysReserve(null, n)
        memory.sysMap(v, n, null)
        memory.sysUsed(v, n)
        claimBytes(os, v, n, 0, 'memory that was never used')
        fill(os, v, n, 0x5a)
        claimBytes(os, v, n, 0x5a, 'memory that was written')
      }),
  },
  {
    id: 'map/touchable',
    title: 'sysMap and sysUsed: every page of the range can be written, and no page beside it',
    show: (world) =>
      world.play(({ memory, os, witness, unit, pageSize }) => {
        const { faults } = witness
        if (faults === undefined) return notRun('needs a witness that tells whether a touch faults')
        const v = memory.sysReserve(null, 16 * unit)
        memory.sysMap(v + 4 * unit, 8 * unit, null)
        memory.sysUsed(v + 4 * unit, 8 * unit)
        for (let at = 0; at < 16 * unit; at += pageSize) {
          const inside = at >= 4 * unit && at < 12 * unit
          if (!inside && !os.traits.reservedTraps) continue
          const does = faults(v + at, inside ? 'write' : 'read')
          claim(
            does !== inside,
            `the ${inside ? 'Ready' : 'Reserved'} page at offset ${at} ${does ? 'faults' : 'does not fault'}`,
          )
        }
        return undefined
      }),
  },
  {
    id: 'map/in-parts',
    title: 'sysMap: maps a reservation part by part, and each part has memory of its own',
    show: (world) =>
      world.play(({ memory, os, unit, pageSize }) => {
        const v = memory.sysReserve(null, 16 * unit)
        const edges = [0, pageSize, 3 * unit, 3 * unit + pageSize, 9 * unit, 16 * unit]
        const cuts = edges.filter((edge, i) => edge !== edges[i - 1])
        for (let i = 0; i + 1 < cuts.length; i++) {
          const [from = 0, to = 0] = cuts.slice(i, i + 2)
          memory.sysMap(v + from, to - from, null)
          memory.sysUsed(v + from, to - from)
          fill(os, v + from, to - from, i + 1)
        }
        for (let i = 0; i + 1 < cuts.length; i++) {
          const [from = 0, to = 0] = cuts.slice(i, i + 2)
          claimBytes(os, v + from, to - from, i + 1, `part ${i + 1}`)
        }
      }),
  },
  {
    id: 'unused/range-stays',
    title: 'sysUnused: the range stays owned, is not handed out again, and can be used again',
    show: (world) =>
      world.play((stage) => {
        const { memory, os, unit } = stage
        const n = 8 * unit
        const v = ready(stage, 8, 3)
        memory.sysUnused(v, n)
        // Core refuses a result that overlaps the account. The backend must not return one.
        for (let i = 0; i < 16; i++) memory.sysReserve(null, n)
        memory.sysUsed(v, n)
        fill(os, v, n, 9)
        claimBytes(os, v, n, 9, 'memory that is used again')
      }),
  },
  {
    id: 'unused/held',
    title: 'sysUnused: the kernel still holds the range',
    show: (world) =>
      world.play((stage) => {
        if (stage.witness.held === undefined) return notRun('needs a witness that tells what the kernel holds')
        const n = 8 * stage.unit
        const v = ready(stage, 8, 3)
        stage.memory.sysUnused(v, n)
        const held = stage.witness.held(v, n)
        claim(held === n, `the kernel holds ${held} of ${n} bytes`)
        return undefined
      }),
  },
  {
    id: 'unused/traps',
    title: 'sysUnused: an access to the range faults until sysUsed, if the trait says so',
    show: (world) =>
      world.play((stage) => {
        const v = ready(stage, 8, 3)
        stage.memory.sysUnused(v, 8 * stage.unit)
        const verdict = claimTrap(stage, v, 'unusedTraps')
        stage.memory.sysUsed(v, 8 * stage.unit)
        const still = stage.witness.faults?.(v, 'write') ?? false
        claim(!still, 'a write faults after sysUsed')
        return verdict
      }),
  },
  {
    id: 'used/mixed',
    title: 'sysUsed: on a mix of Prepared and Ready, the Ready part keeps its contents',
    show: (world) =>
      world.play((stage) => {
        const { memory, os, unit } = stage
        const v = ready(stage, 12, 6)
        memory.sysUnused(v + 4 * unit, 4 * unit)
        memory.sysUsed(v, 12 * unit)
        memory.sysUsed(v, 12 * unit)
        const allowed = keepsReady(world) ? [6] : [0, 6]
        claimBytesAmong(os, v, 4 * unit, allowed, 'Ready memory before what was Prepared')
        claimBytesAmong(os, v + 8 * unit, 4 * unit, allowed, 'Ready memory after what was Prepared')
        fill(os, v, 12 * unit, 7)
        claimBytes(os, v, 12 * unit, 7, 'all of it, written anew')
        return keepsReady(world) ? undefined : absent('usedKeepsReady')
      }),
  },
  {
    id: 'used/across-reservations',
    title: 'sysUnused and sysUsed: work across neighboring reservations',
    show: (world) =>
      world.play((stage) => {
        const { memory, os, unit } = stage
        const n = 3 * unit
        const pair = neighbours(stage, n)
        if (pair === null) return os.traits.hints ? notRun('no two reservations were side by side') : absent('hints')
        memory.sysMap(pair, n, null)
        memory.sysMap(pair + n, n, null)
        memory.sysUsed(pair, 2 * n)
        fill(os, pair, 2 * n, 4)
        memory.sysUnused(pair + unit, 2 * n - 2 * unit)
        memory.sysUsed(pair, 2 * n)
        const allowed = keepsReady(world) ? [4] : [0, 4]
        claimBytesAmong(os, pair, unit, allowed, 'what was left of the first')
        claimBytesAmong(os, pair + 2 * n - unit, unit, allowed, 'what was left of the second')
        withBytes(os, pair, 2 * n, (bytes) => bytes.fill(5))
        claimBytes(os, pair, 2 * n, 5, 'both, written as one')
        return undefined
      }),
  },
]

/** Makes two reservations of `n` bytes side by side. Returns the first one's address, or null if it fails. */
export function neighbours({ memory }: Stage, n: number): Address | null {
  for (let i = 0; i < 8; i++) {
    // Free a hole that is large enough for both.
    const hole = memory.sysReserve(null, 2 * n)
    memory.sysFree(hole, 2 * n, null)
    const found: Address[] = []
    for (const wanted of [hole, hole + n]) {
      try {
        found.push(memory.sysReserve(wanted, n))
      } catch {
        // A break does not support hints.
        return null
      }
    }
    if (found[0] === hole && found[1] === hole + n) return hole
  }
  return null
}

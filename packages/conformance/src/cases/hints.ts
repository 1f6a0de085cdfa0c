// Reservations with an address hint: the backend uses the address when it is free, and never overwrites owned memory.
import { claimBytes } from '../bytes.js'
import { claim, claimOutcome, rangeText, same, thrownBy } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import type { Stage } from '../stage.js'
import { ready } from './transitions.js'

/** Requests [v, v+n), which is partly owned. The result must lie beside `owned`. */
function claimBeside({ memory, unit }: Stage, v: number, n: number, owned: number): void {
  let p = NaN
  const error = thrownBy(() => (p = memory.sysReserve(v, n)))
  // Core's own check of the result throws a FatalError, which is not allowed here.
  if (error !== null)
    return claimOutcome(error, ['OutOfMemoryError'], `a hint at ${rangeText(v, n)}, which is partly owned`)
  claim(p + n <= owned || p >= owned + 8 * unit, `${rangeText(p, n)} was handed out, but it is partly owned`)
}

function hintText(v: number, n: number): string {
  return `sysReserve with a hint at ${rangeText(v, n)}`
}

/** Where a hint begins beside eight units that are in use, and how long it is, both in units. */
const busyHints = [
  [0, 8],
  [2, 2],
  [7, 4],
  [-2, 4],
  [-4, 16],
] as const

/**
 * Hints where no range may lie: an address space ends at 31, 32, 36 to 40, 47, 48, 52, 56, 57, 63 or 64 bits, and much
 * of what is below the ends is the kernel's own.
 */
function farHints(unit: number): number[] {
  const ends = [31, 32, 36, 39, 40, 42, 44, 46, 47, 48, 52, 56, 57, 60, 63, 64].map((bits) => 2 ** bits)
  // Above 2^53, a double is exact for addresses of pages only.
  return ends.flatMap((end) => [end - 16 * unit, end - 2 * unit, ...(end < 2 ** 64 ? [end] : [])])
}

function far(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { memory, os, unit, witness } = stage
    if (!os.traits.hints) return absent('hints')
    const n = 4 * unit
    const kept = ready(stage, 2, 0x42)
    const total = witness.total?.()
    for (const hint of farHints(unit)) {
      const what = hintText(hint, n)
      const p = os.sysReserveOS(hint, n)
      claim(
        p !== null,
        `${what} was refused (${String(os.refusal?.syscall)} ${String(os.refusal?.errno)}): go elsewhere`,
      )
      same(os.refusal ?? null, null, `the refusal after ${what}, which was done`)
      if (witness.held !== undefined)
        same(witness.held(p, n), n, `what the kernel holds at ${rangeText(p, n)}, ${what}`)
      os.sysFreeOS(p, n)
    }
    if (total !== undefined) same(witness.total?.(), total, 'what the kernel holds after all hints')
    claimBytes(os, kept, 2 * unit, 0x42, 'memory in use, after hints where no range can lie')
    memory.check()
    return undefined
  })
}

/** Hints that lie some pages beside a multiple of the granularity. */
function uneven(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { os, unit, pageSize, witness } = stage
    const { granularity } = os.traits
    if (granularity <= pageSize) return absent('a granularity of several pages')
    for (const units of [1, 3])
      for (const beside of [pageSize, granularity / 2, granularity - pageSize]) {
        const room = os.sysReserveOS(null, 8 * unit)
        claim(room !== null, `sysReserveOS refused ${8 * unit} bytes, and the kernel refused nothing`)
        os.sysFreeOS(room, 8 * unit)
        const [hint, n] = [room + 2 * unit + beside, units * unit]
        const p = os.sysReserveOS(hint, n)
        os.refusal = null
        if (p === null) continue
        const what = `the address of ${hintText(hint, n)}`
        same(p % granularity, 0, `${what}, ${rangeText(p, n)}: the rest of a division by the granularity`)
        if (witness.held !== undefined) same(witness.held(p, n), n, `what the kernel holds at ${what}`)
        os.sysMapOS(p, n)
        os.sysUsedOS(p, n)
        claimBytes(os, p, n, 0, `memory at ${what}`)
        os.sysFreeOS(p, n)
        if (witness.held !== undefined && os.traits.reservedTraps)
          same(witness.held(p, n), 0, `what the kernel holds at ${what}, which was freed`)
      }
    return undefined
  })
}

export const hintCases: readonly Definition[] = [
  {
    id: 'hints/honoured',
    title: 'sysReserve: begins at the hint if it is free and the trait says so, else goes elsewhere or refuses',
    show: (world) =>
      world.play(({ memory, os, unit }) => {
        const n = 16 * unit
        for (let i = 0; i < 8; i++) {
          const v = memory.sysReserve(null, n)
          // A guard after the range, so that a break can't honour the hint only because it is at the end.
          const guard = memory.sysReserve(null, unit)
          memory.sysFree(v, n, null)
          let p = NaN
          const error = thrownBy(() => (p = memory.sysReserve(v + unit, 2 * unit)))
          memory.sysFree(guard, unit, null)
          if (os.traits.hints) {
            if (error !== null) throw error
            if (p === v + unit) return undefined
          } else if (error !== null) claimOutcome(error, ['OutOfMemoryError'], 'a hint')
          if (error === null) memory.sysFree(p, 2 * unit, null)
        }
        claim(!os.traits.hints, 'the trait hints is true, but sysReserve ignored eight hints at free addresses')
        return absent('hints')
      }),
  },
  {
    id: 'hints/busy',
    title: 'sysReserve: a hint at owned memory overwrites no part of it',
    show: (world) =>
      world.play((stage) => {
        const { os, unit } = stage
        const v = ready(stage, 8, 0x42)
        for (const [from, n] of busyHints) {
          if (v + from * unit > 0) claimBeside(stage, v + from * unit, n * unit, v)
          claimBytes(os, v, 8 * unit, 0x42, `memory in use, after ${hintText(v + from * unit, n * unit)}`)
        }
      }),
  },
  {
    id: 'hints/foreign',
    title: 'sysReserve: a hint that reaches into memory of other code overwrites no part of it',
    show: (world) =>
      world.play((stage) => {
        const { os, unit } = stage
        const v = ready(stage, 8, 0x42)
        // Core asks for no address that it owns. The backend itself is asked, as for memory that core does not know.
        for (const [from, n] of busyHints) {
          const hint = v + from * unit
          if (hint <= 0) continue
          const p = os.sysReserveOS(hint, n * unit)
          claimBytes(os, v, 8 * unit, 0x42, `memory in use, after ${hintText(v + from * unit, n * unit)}`)
          if (p === null) os.refusal = null
          else {
            const isBeside = p + n * unit <= v || p >= v + 8 * unit
            const what = `${hintText(hint, n * unit)} handed out ${rangeText(p, n * unit)}`
            claim(isBeside, `${what}, expected no page of ${rangeText(v, 8 * unit)}, which is in use`)
            os.sysFreeOS(p, n * unit)
          }
        }
      }),
  },
  {
    id: 'hints/no-debris',
    title: 'sysReserve: a refused hint leaves nothing behind in the kernel',
    show: (world) =>
      world.play((stage) => {
        const { memory, os, unit, witness } = stage
        if (witness.total === undefined) return notRun('needs a witness that tells all that the kernel holds')
        const v = ready(stage, 8, 1)
        const before = witness.total()
        const isHonoured = thrownBy(() => memory.sysReserve(v, 4 * unit)) === null
        if (os.traits.reservedTraps)
          same(witness.total() - before, isHonoured ? 4 * unit : 0, 'what the kernel holds for the hint')
        return os.traits.reservedTraps ? undefined : absent('reservedTraps')
      }),
  },
  {
    id: 'hints/outside',
    title: 'sysReserve: where no range can lie at the hint, it goes elsewhere, and is not refused',
    show: far,
  },
  {
    id: 'hints/uneven',
    title: 'sysReserve: a hint that is no multiple of the granularity gives an address that is one, or is refused',
    show: uneven,
  },
]

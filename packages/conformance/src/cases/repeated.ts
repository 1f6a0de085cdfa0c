// Transitions that are repeated thousands of times, and lives after a refusal, at low addresses and on two backends: a
// backend that was right once is right each time.
import type { Address } from '@memlayer/kernel'
import { claimBytes, fill, withBytes } from '../bytes.js'
import { claim, rangeText, same, thrownBy } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import { errnosOf, NO_KERNEL } from '../errnos.js'
import type { Stage } from '../stage.js'
import { claimForfeit, playAlloc, playLife } from './lives.js'
import { lowHints } from './place.js'
import { keepsReady, ready } from './transitions.js'
import { whileRefused } from './with-refusals.js'

/** How often a transition is repeated. */
const TIMES = 2100
/** Rounds in a row in which the witness is asked. Asking may read a file, so it is not asked in each round. */
const WATCHED = 16

/** Whether round `i` is one in which the witness is asked: the first ones and the last ones. */
function isWatched(i: number): boolean {
  return i < WATCHED || i >= TIMES - WATCHED
}

/** The last byte of the page at `v`. */
function byteAt({ os, pageSize }: Stage, v: Address): number | undefined {
  return withBytes(os, v, pageSize, (bytes) => bytes[pageSize - 1])
}

function setByte({ os, pageSize }: Stage, v: Address, byte: number): void {
  withBytes(os, v, pageSize, (bytes) => (bytes[pageSize - 1] = byte))
}

function repeatUnused(stage: Stage): void {
  const { memory, os, unit, witness } = stage
  const v = ready(stage, 3, 9)
  for (let i = 0; i < TIMES; i++) {
    const byte = 1 + (i % 200)
    setByte(stage, v + unit, byte)
    memory.sysUnused(v + unit, unit)
    if (isWatched(i) && witness.faults !== undefined)
      same(witness.faults(v + unit, 'read'), os.traits.unusedTraps, `a fault after sysUnused number ${i + 1}`)
    if (isWatched(i)) claimForfeit(stage, v + unit, unit, `sysUnused number ${i + 1}`)
    memory.sysUsed(v + unit, unit)
    const found = byteAt(stage, v + unit)
    const right = found === 0 || (!os.traits.unusedDropsContents && found === byte)
    claim(right, `after sysUnused and sysUsed number ${i + 1} the page holds ${found}, and it held ${byte}`)
  }
  for (const at of [v, v + 2 * unit]) same(byteAt(stage, at), 9, 'a byte beside the range')
}

function repeatFault(stage: Stage): void {
  const { memory, os, unit, witness } = stage
  const v = ready(stage, 3, 9)
  for (let i = 0; i < TIMES; i++) {
    memory.sysFault(v + unit, unit)
    if (isWatched(i) && witness.faults !== undefined)
      same(witness.faults(v + unit, 'read'), os.traits.faultTraps, `a fault after sysFault number ${i + 1}`)
    memory.sysMap(v + unit, unit, null)
    memory.sysUsed(v + unit, unit)
    if (isWatched(i) && witness.faults !== undefined)
      same(witness.faults(v + unit, 'write'), false, `a fault after sysMap and sysUsed number ${i + 1}`)
    setByte(stage, v + unit, 7)
    same(byteAt(stage, v + unit), 7, `a byte that was written after sysMap and sysUsed number ${i + 1}`)
  }
}

function repeatFree(stage: Stage): void {
  const { memory, os, unit, pageSize, witness } = stage
  const n = 2 * unit
  let before = NaN
  for (let i = 0; i < TIMES; i++) {
    if (i === WATCHED) before = witness.total?.() ?? NaN
    const ranges = [memory.sysAlloc(n, null), memory.sysReserve(null, n)] as const
    memory.sysMap(ranges[1], n, null)
    memory.sysUsed(ranges[1], n)
    for (const v of ranges) {
      same(byteAt(stage, v + n - pageSize), 0, `the last byte of a range in round ${i + 1}`)
      setByte(stage, v + n - pageSize, 8)
      memory.sysFree(v, n, null)
      if (isWatched(i) && os.traits.reservedTraps && witness.held !== undefined)
        same(witness.held(v, n), 0, `what the kernel holds after sysFree in round ${i + 1}`)
    }
  }
  if (witness.total !== undefined)
    same(witness.total(), before, `what the kernel holds after ${TIMES - WATCHED} more rounds`)
  // Single units, more of them than a small kernel has.
  for (let i = 0; i < 2 * TIMES; i++) memory.sysFree(memory.sysAlloc(unit, null), unit, null)
  if (witness.total !== undefined)
    same(witness.total(), before, `what the kernel holds after ${2 * TIMES} single units`)
}

/** Hints at free addresses: the same range again and again, and others. */
function repeatHints(stage: Stage): Verdict | undefined {
  const { memory, os, unit } = stage
  if (!os.traits.hints) return absent('hints')
  for (let i = 0; i < 300; i++) {
    const n = (1 + (i % 3)) * unit
    const v = memory.sysReserve(null, 8 * unit)
    memory.sysFree(v, 8 * unit, null)
    const p = memory.sysReserve(v + unit, n)
    same(p, v + unit, `the address of hint number ${i + 1}, at a range that was just freed`)
    memory.sysFree(p, n, null)
  }
  return undefined
}

/** Frees more than small kernels have. Fails if the kernel holds more after it than after a few rounds. */
function playFrees({ memory, unit, witness }: Stage): void {
  let before = NaN
  for (let i = 0; i < 100; i++) {
    if (i === 4) before = witness.total?.() ?? NaN
    memory.sysFree(memory.sysAlloc(64 * unit, null), 64 * unit, null)
  }
  if (witness.total !== undefined)
    same(witness.total(), before, 'what the kernel holds after 96 more rounds of sysFree')
}

/** Lives on a stage whose kernel has refused every call of some operations. */
function afterRefusals(world: World): Verdict | undefined {
  const errnos = errnosOf(world.subject)
  if (errnos === null) return notRun(NO_KERNEL)
  for (const errno of errnos) {
    const plan = whileRefused(errno)
    world.play(
      (stage) => {
        const { memory, unit } = stage
        const v = ready(stage, 2, 1)
        const reserved = memory.sysReserve(null, unit)
        // What is refused may throw. What it leaves is looked at by the cases of refusals.
        const refuse = (run: () => unknown): void => void plan.refuse(() => thrownBy(run))
        for (let times = 0; times < 3; times++) {
          refuse(() => memory.sysAlloc(unit, null))
          // More than a break has left: it has to ask its kernel.
          refuse(() => memory.sysAlloc(64 * unit, null))
          refuse(() => memory.sysReserve(null, unit))
          refuse(() => memory.sysMap(reserved, unit, null))
          refuse(() => memory.sysFault(v, unit))
          refuse(() => memory.sysFree(v + unit, unit, null))
        }
        playLife(stage, 3 * stage.pageSize, keepsReady(world))
        playAlloc(stage, 3 * stage.pageSize)
        playFrees(stage)
        repeatHints(stage)
      },
      { wrap: plan.wrap },
    )
  }
  return undefined
}

function lowAddresses(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { memory, os, unit } = stage
    if (!os.traits.hints) return absent('hints')
    for (const hint of lowHints) {
      stage.takeCalls()
      const p = memory.sysReserve(hint, 64 * unit)
      const calls = stage.takeCalls()
      memory.sysFree(p, 64 * unit, null)
      const isAsked = calls === null || calls.some(({ args }) => args[0] === hint)
      claim(isAsked, `sysReserve at ${hint} did not ask the kernel for this address`)
      if (p !== hint) continue
      const { whole } = playLife(stage, 16 * stage.pageSize, keepsReady(world), hint)
      same(whole, hint, 'the address of a second hint, at a range that was just freed')
      return undefined
    }
    return notRun('this kernel gives no addresses below 4 GiB')
  })
}

/** Where 31 and 32 bits end. Memory that begins low is filled up to there. */
const fills = [2 ** 31, 2 ** 32] as const

function highAddresses(world: World): Verdict | undefined {
  let isHigh = false
  for (const bound of fills) {
    const verdict = world.play((stage) => {
      const { memory, os, unit, witness } = stage
      const isPromised = os.traits.unusedReturnsMemory
      const low = memory.sysReserve(null, unit)
      if (low >= bound) return absent('addresses that begin low')
      if (witness.setLimits === undefined) return notRun('needs a simulated kernel, which has no memory for the fill')
      const n = Math.ceil((bound - low) / unit) * unit
      const p = os.sysReserveOS(null, n)
      os.refusal = null
      if (p === null) return notRun(`the kernel has no ${n} bytes`)
      const { whole } = playLife(stage, 16 * stage.pageSize, keepsReady(world))
      playGiven(stage, isPromised)
      playParts(stage)
      isHigh ||= whole >= bound
      os.sysFreeOS(p, n)
      return undefined
    })
    if (!isHigh && verdict !== undefined) return verdict
  }
  return undefined
}

/** A stage has fewer holes of a unit. */
const GUARDS_MAX = 100

/** What is freed in parts below other memory can be had as a whole again, where the kernel holds no more for it. */
function playParts(stage: Stage): void {
  const { memory, os, unit, witness } = stage
  if (!os.traits.freesParts) return
  const n = 12 * unit
  const v = memory.sysReserve(null, n)
  const guards: Address[] = []
  // What is taken first may fill holes below.
  do guards.push(memory.sysReserve(null, unit))
  while ((guards.at(-1) ?? NaN) < v && guards.length < GUARDS_MAX)
  const total = witness.total?.()
  for (const part of [0, 2, 1, 3]) memory.sysFree(v + (part * n) / 4, n / 4, null)
  const w = memory.sysReserve(null, n)
  const what = `what the kernel holds once ${rangeText(v, n)} was freed in parts and as much was taken again`
  same(witness.total?.(), total, what)
  memory.sysFree(w, n, null)
  for (const guard of guards) memory.sysFree(guard, unit, null)
}

/** A memory that ends is taken in fewer pieces. */
const MOST = 400

/** Takes all that there is, from the largest pieces to the last units, and plays with the last of them. */
function atTheEnd(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { os, unit, witness } = stage
    const isPromised = os.traits.unusedReturnsMemory
    if (os.traits.reservedTraps) return absent('memory that begins low and grows')
    if (witness.setLimits === undefined) return notRun('needs a simulated kernel, which has no memory for the fill')
    const taken: [Address, number][] = []
    for (let n = 2 ** 46; n >= unit; n /= 2)
      for (;;) {
        const p = os.sysReserveOS(null, n)
        os.refusal = null
        if (p === null) break
        taken.push([p, n])
        if (taken.length > MOST) return notRun('there is no end of memory')
      }
    // The last 32 units at the end, which are free again.
    const order = taken.toSorted(([a], [b]) => b - a)
    let free = 0
    for (const [v, n] of order) {
      if (free >= 32 * unit) break
      const part = Math.min(n, 32 * unit - free)
      os.sysFreeOS(v + n - part, part)
      free += part
    }
    void playLife(stage, 16 * stage.pageSize, keepsReady(world))
    playGiven(stage, isPromised)
    return undefined
  })
}

/** What is given back is gone, and comes back as zeroes, where the kernel refuses nothing. */
function playGiven(stage: Stage, isPromised: boolean): void {
  const { memory, os, unit, witness } = stage
  const n = 4 * unit
  const v = ready(stage, 4, 7)
  if (os.sysZeroOS?.(v, n) === true) claimBytes(os, v, n, 0, `memory after sysZeroOS of ${rangeText(v, n)}`)
  fill(os, v, n, 7)
  memory.sysUnused(v, n)
  witness.takeForfeit?.()
  const what = `after sysUnused of ${rangeText(v, n)}`
  same(os.traits.unusedReturnsMemory, isPromised, `the trait unusedReturnsMemory ${what}`)
  if (isPromised) same(witness.resident?.(v, n) ?? 0, 0, `resident bytes ${what}`)
  memory.sysFree(v, n, null)
}

export const repeatedCases: readonly Definition[] = [
  {
    id: 'repeated/unused',
    title: `sysUnused and sysUsed: work ${TIMES} times as they did the first time`,
    show: (world) => world.play(repeatUnused),
  },
  {
    id: 'repeated/fault',
    title: `sysFault and sysMap: work ${TIMES} times as they did the first time`,
    show: (world) => world.play(repeatFault),
  },
  {
    id: 'repeated/free',
    title: `sysAlloc, sysReserve and sysFree: work ${TIMES} times, and nothing is left over`,
    show: (world) => world.play(repeatFree),
  },
  {
    id: 'repeated/hints',
    title: 'sysReserve: honors 300 hints at free addresses, if the trait says so',
    show: (world) => world.play(repeatHints),
  },
  {
    id: 'repeated/low-addresses',
    title: 'every transition reaches a range below 4 GiB, if the kernel honors a hint there',
    show: lowAddresses,
  },
  {
    id: 'repeated/high-addresses',
    title: 'every transition reaches a range above 2 GiB and above 4 GiB, where memory begins below',
    show: highAddresses,
  },
  {
    id: 'repeated/at-the-end',
    title: 'every transition reaches the last units of a memory that has grown as far as it can',
    show: atTheEnd,
  },
  {
    id: 'repeated/after-refusals',
    title: 'every transition works as before once the kernel has refused several calls and refuses no more',
    show: afterRefusals,
  },
  {
    id: 'repeated/two-backends',
    title: 'every transition reaches its own kernel while a second backend lives over another',
    show: (world) =>
      world.play((one) =>
        world.play((two) => {
          const times = keepsReady(world)
          for (const stage of [two, one, two]) {
            playLife(stage, 5 * stage.pageSize, times)
            playAlloc(stage, 5 * stage.pageSize)
          }
        }),
      ),
  },
]

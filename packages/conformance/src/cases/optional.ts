// The optional functions of the contract that move memory: sysPopulateOS, sysRenewOS, sysRetireOS and sysZeroOS. A
// backend without one is not asked for it. They are called as core calls them, on ranges that the memory owns.
import type { OS } from '@memlayer/core'
import type { Address } from '@memlayer/kernel'
import { claim, rangeText, same, thrownBy, claimOutcome } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import { brokenErrnosOf, errnosOf, NO_KERNEL } from '../errnos.js'
import { refuseWhen } from '../intercept.js'
import type { Stage } from '../stage.js'
import { claimBatch, everySecondPage } from './batches.js'
import {
  beyond32Bits,
  claimFaults,
  claimGuards,
  claimMarks,
  claimPlace,
  isSparse,
  lowHints,
  markAll,
  markGuards,
  open,
  placeOf,
  thresholds,
  type Place,
} from './place.js'
import { ready } from './transitions.js'
import { withRefusals } from './with-refusals.js'

/** How often a function is repeated. */
const TIMES = 2100

/** The functions that give a range of pages another content: what they promise, and where they leave it. */
type Renewing = 'sysRenewOS' | 'sysRetireOS' | 'sysZeroOS'

/** Gives the range of a place up by sysRenewOS or sysRetireOS. The answer says whether it was done. */
function giveUp({ os }: Stage, fn: Renewing, { v, n }: Place, isMapped: boolean): boolean {
  return (fn === 'sysRetireOS' ? os.sysRetireOS?.(v, n, isMapped) : os[fn]?.(v, n)) === true
}

/**
 * Fails unless `fn` leaves zeroes without memory in the range of a place, and all as it was beside it. Returns whether
 * it was done.
 */
function claimGivenUp(stage: Stage, fn: Renewing, place: Place, isMapped: boolean): boolean {
  const { os, witness } = stage
  if (isMapped) markAll(stage, place, 6)
  else stage.memory.sysFault(place.v, place.n)
  const total = witness.total?.()
  const isDone = giveUp(stage, fn, place, isMapped)
  // The addresses stay. A mapping that the backend has made to try something is gone.
  if (total !== undefined)
    same(witness.total?.(), total, `what the kernel holds in all after ${fn} of ${place.n} bytes`)
  if (!isDone) {
    claimGuards(stage, place, fn)
    return false
  }
  if (witness.held !== undefined)
    same(witness.held(place.whole, place.size), place.size, `what the kernel holds of ${place.size} bytes after ${fn}`)
  // Where Prepared pages trap, a witness may count what is committed.
  if (witness.resident !== undefined && !os.traits.unusedTraps)
    same(witness.resident(place.v, place.n), 0, `resident bytes of a range of ${place.n} bytes after ${fn}`)
  claimFaults(stage, place, false, fn)
  claimPlace(stage, place, [0], fn)
  return true
}

/** A place that is Ready; null: the kernel has no 4 GiB to spare. */
function openPlace(stage: Stage, n: number): Place | null {
  try {
    const place = placeOf(stage, n)
    open(stage, place)
    return place
  } catch (error) {
    if (n > 2 ** 32) return null
    throw error
  }
}

function givenUp(world: World, fn: Renewing): Verdict | undefined {
  return world.play((stage) => {
    const { os, memory } = stage
    if (os[fn] === undefined) return absent(fn)
    // Core retires no more than the quarantine has room for.
    const { space = 0, writable = 0 } = os.quarantine ?? {}
    const room = fn === 'sysRetireOS' ? Math.min(space, writable) : Infinity
    const far = isSparse(os) ? [beyond32Bits(stage.pageSize)] : []
    const sizes = [...thresholds(stage), ...far].filter((n) => n <= room)
    const ways = fn === 'sysRetireOS' ? [true, false] : [true]
    const answers = new Map<boolean, boolean>()
    for (const n of sizes) {
      const place = openPlace(stage, n)
      if (place === null) continue
      for (const isMapped of ways) {
        const isDone = claimGivenUp(stage, fn, place, isMapped)
        const what = `${fn} of ${rangeText(place.v, n)}, ${n} bytes that are ${isMapped ? '' : 'not '}mapped`
        same(isDone, answers.get(isMapped) ?? isDone, `whether ${what} is done, as for a page`)
        answers.set(isMapped, isDone)
      }
      memory.sysFree(place.whole, place.size, null)
    }
    return undefined
  })
}

/** A process may lock what it maps. Then new pages have memory at once, and the memory of old ones stays. */
function renewAnswers(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { memory, os, unit, pageSize, witness } = stage
    if (os.sysRenewOS === undefined) return absent('sysRenewOS')
    if (witness.resident === undefined) return notRun('needs a witness that tells what is resident')
    const n = 4 * unit
    const v = ready(stage, 4, 6)
    const isDone = os.sysRenewOS(v, n)
    const left = witness.resident(v, n)
    claim(
      !isDone || left === 0,
      `sysRenewOS of ${n} bytes says that the new pages have no memory, and ${left} are resident`,
    )
    // A backend that can't look may say no.
    const canTell = (os.host?.residency?.(v, pageSize) ?? null) !== null
    claim(isDone || left > 0 || !canTell, 'sysRenewOS says that the new pages have memory, and none is resident')
    memory.sysFree(v, n, null)
    if (witness.lockAll === undefined) return undefined
    witness.lockAll()
    const locked = ready(stage, 4, 6)
    memory.sysUnused(locked, n)
    const kept = witness.resident(locked, n)
    same(memory.stats().kept, kept, `the bytes that the account counts as kept after sysUnused of ${n} locked bytes`)
    if (kept > 0 || canTell)
      same(os.traits.unusedReturnsMemory, kept === 0, 'the trait unusedReturnsMemory after sysUnused of locked memory')
    return undefined
  })
}

/** `fn` again and again, the last time as the first. */
function givenUpOften(world: World, fn: Renewing): Verdict | undefined {
  return world.play((stage) => {
    if (stage.os[fn] === undefined) return absent(fn)
    const place = placeOf(stage, 2 * stage.pageSize)
    open(stage, place)
    for (let i = 0; i < TIMES; i++) {
      markAll(stage, place, 1 + (i % 200))
      if (!giveUp(stage, fn, place, true)) return notRun(`${fn} says that this kernel can't`)
      claimMarks(stage, place, [0], `${fn} number ${i + 1}`)
    }
    claimGuards(stage, place, fn)
    return undefined
  })
}

/** Where `fn` is refused, it says so, and where the kernel refuses no more it works as before. */
function givenUpRefused(world: World, fn: Renewing): Verdict | undefined {
  return withRefusals(world, (stage, refuse) => {
    const { os } = stage
    if (os[fn] === undefined) return absent(fn)
    const place = placeOf(stage, 3 * stage.pageSize)
    open(stage, place)
    for (let times = 0; times < 3; times++) {
      markAll(stage, place, 6)
      stage.takeCalls()
      let isDone = false
      const error = thrownBy(() => (isDone = refuse(() => giveUp(stage, fn, place, true))))
      if (error !== null) claimOutcome(error, ['FatalError', 'OutOfMemoryError'], `${fn}, refused`)
      if (os.refusal) os.refusal = null
      if (isDone) claimMarks(stage, place, [0], `${fn}, which was refused and said done`)
      claimGuards(stage, place, `${fn}, refused`)
      claimMarks(stage, place, [0, 6], `${fn}, refused`)
    }
    // sysRenewOS may learn from a refusal that this kernel keeps the pages. What it says then is true.
    claimGivenUp(stage, fn, place, true)
    return undefined
  })
}

/** sysPopulateOS on a place: the memory is there, and nothing else changes. False: this kernel can't. */
function claimPopulated(stage: Stage, place: Place): boolean {
  const { os, memory, witness } = stage
  const { v, n, whole, size } = place
  memory.sysUnused(whole, size)
  witness.takeForfeit?.()
  memory.sysUsed(whole, size)
  // A huge page at an end would reach beyond it.
  os.sysNoHugePageOS?.(whole, size)
  const before = witness.resident?.(whole, size) ?? NaN
  const answer = os.sysPopulateOS?.(v, n)
  claim(
    answer === true || answer === false,
    `sysPopulateOS of ${n} bytes returned ${answer}, and the kernel refused nothing`,
  )
  if (!answer) return false
  if (witness.resident !== undefined) {
    same(witness.resident(v, n), n, `resident bytes of ${n} bytes after sysPopulateOS`)
    if (before === 0) same(witness.resident(whole, size), n, `resident bytes of ${n} bytes and the pages beside them`)
  }
  markGuards(stage, place)
  markAll(stage, place, 2)
  same(os.sysPopulateOS?.(v, n), true, `sysPopulateOS of ${n} bytes that have memory already`)
  claimPlace(stage, place, [2], 'sysPopulateOS')
  return true
}

function populated(world: World): Verdict | undefined {
  return world.play((stage) => {
    if (stage.os.sysPopulateOS === undefined) return absent('sysPopulateOS')
    for (const n of [...thresholds(stage), 3 * stage.pageSize]) {
      const place = placeOf(stage, n)
      open(stage, place)
      if (!claimPopulated(stage, place)) return notRun("sysPopulateOS says that this kernel can't")
      stage.memory.sysFree(place.whole, place.size, null)
    }
    return undefined
  })
}

function populatedOften(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { os, witness, memory, pageSize } = stage
    if (os.sysPopulateOS === undefined) return absent('sysPopulateOS')
    if (witness.resident === undefined) return notRun('needs a witness that tells what is resident')
    const n = 2 * pageSize
    const place = placeOf(stage, n)
    open(stage, place)
    for (let i = 0; i < TIMES; i++) {
      memory.sysUnused(place.v, n)
      memory.sysUsed(place.v, n)
      if (os.sysPopulateOS(place.v, n) !== true) return notRun("sysPopulateOS says that this kernel can't")
      if (i < 16 || i >= TIMES - 16)
        same(witness.resident(place.v, n), n, `resident bytes after sysPopulateOS number ${i + 1}`)
    }
    return undefined
  })
}

/** The calls of sysPopulateOS over 4 GiB and a page. They are refused, so that no kernel gives so much memory. */
function populatedBeyond32Bits(world: World): Verdict | undefined {
  const errnos = errnosOf(world.subject)
  if (errnos === null) return notRun(NO_KERNEL)
  const asked: number[] = []
  let on = false
  const wrap = (kernel: object): object =>
    refuseWhen(kernel, (_fn, args) => {
      if (on) asked.push(Number(args[1]))
      return on ? (errnos[0] ?? null) : null
    })
  return world.play(
    (stage) => {
      const { os, pageSize } = stage
      if (os.sysPopulateOS === undefined) return absent('sysPopulateOS')
      const place = placeOf(stage, pageSize)
      open(stage, place)
      on = true
      void thrownBy(() => os.sysPopulateOS?.(place.v, beyond32Bits(pageSize)))
      on = false
      const sum = asked.reduce((total, n) => total + n, 0)
      claim(
        sum === 0 || sum >= beyond32Bits(pageSize),
        `sysPopulateOS of ${beyond32Bits(pageSize)} bytes asked the kernel for ${sum}`,
      )
      os.refusal = null
      return undefined
    },
    { wrap },
  )
}

function populateRefused(world: World): Verdict | undefined {
  const broken = brokenErrnosOf(world.subject)
  return withRefusals(world, (stage, refuse, errno) => {
    const { os } = stage
    if (os.sysPopulateOS === undefined) return absent('sysPopulateOS')
    const place = placeOf(stage, 3 * stage.pageSize)
    open(stage, place)
    const couldBefore = claimPopulated(stage, place)
    markGuards(stage, place)
    markAll(stage, place, 3)
    for (let times = 0; times < 3; times++) {
      os.refusal = null
      const answer = refuse(() => os.sysPopulateOS?.(place.v, place.n))
      claim(answer !== true, 'sysPopulateOS says that it is done, although the kernel refused every call')
      if (answer === null) claim((os.refusal ?? null) !== null, 'sysPopulateOS returned null but kept no refusal')
      os.refusal = null
      claimPlace(stage, place, [3], 'a refused sysPopulateOS')
    }
    const can = claimPopulated(stage, place)
    // A kernel that has no memory now may have some later.
    if (broken.length > 0 && !broken.includes(errno))
      same(can, couldBefore, `whether sysPopulateOS gives memory after calls that were refused with ${errno}`)
    return undefined
  })
}

/** Each optional function once. */
function playAll(stage: Stage, hint: Address | null): void {
  const { os, memory, pageSize } = stage
  const play = (scene: (place: Place) => void): void => {
    const place = placeOf(stage, 5 * pageSize, hint)
    if (hint !== null) same(place.whole, hint, 'the address of a hint at free addresses')
    open(stage, place)
    scene(place)
    memory.sysFree(place.whole, place.size, null)
  }
  for (const fn of ['sysRenewOS', 'sysRetireOS', 'sysZeroOS'] as const) {
    if (os[fn] !== undefined) play((place) => claimGivenUp(stage, fn, place, true))
  }
  if (os.sysPopulateOS !== undefined) play((place) => void claimPopulated(stage, place))
  if (os.sysUnusedAllOS !== undefined)
    play((place) => void claimBatch(stage, place, everySecondPage(place.v, 2, pageSize), 'sysUnusedAllOS'))
}

/** Optional functions on two backends at once. */
function together(world: World): Verdict | undefined {
  return world.play((one) =>
    world.play((two) => {
      for (const stage of [two, one, two]) playAll(stage, null)
      return undefined
    }),
  )
}

function atLowAddresses(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { memory, os, unit } = stage
    if (!os.traits.hints) return absent('hints')
    for (const hint of lowHints) {
      const p = memory.sysReserve(hint, 64 * unit)
      memory.sysFree(p, 64 * unit, null)
      if (p !== hint) continue
      playAll(stage, hint)
      return undefined
    }
    return notRun('this kernel gives no addresses below 4 GiB')
  })
}

/** The words of a title for a function that gives memory up. */
const promises: Readonly<Record<Renewing, string>> = {
  sysRenewOS: 'puts zeroes without memory in the place of a range',
  sysZeroOS: 'leaves zeroes without memory in a range that stays Ready',
  sysRetireOS: 'leaves zeroes without memory at the addresses of a range',
}

function casesOf(fn: Renewing & keyof OS, part: string): Definition[] {
  return [
    {
      id: `${part}/sizes`,
      title: `${fn}: ${promises[fn]} of any size, and nothing beside it`,
      show: (world) => givenUp(world, fn),
    },
    { id: `${part}/often`, title: `${fn}: ${promises[fn]}, ${TIMES} times`, show: (world) => givenUpOften(world, fn) },
    {
      id: `${part}/refused`,
      title: `${fn}, refused: says so, changes nothing beside the range, and later does what it says`,
      show: (world) => givenUpRefused(world, fn),
    },
  ]
}

export const optionalCases: readonly Definition[] = [
  {
    id: 'populate/sizes',
    title: 'sysPopulateOS: gives all pages of a range of any size their memory, and none beside it',
    show: populated,
  },
  { id: 'populate/often', title: `sysPopulateOS: gives a range its memory ${TIMES} times`, show: populatedOften },
  {
    id: 'populate/beyond-32-bits',
    title: 'sysPopulateOS: asks the kernel for all of 4 GiB and a page',
    show: populatedBeyond32Bits,
  },
  {
    id: 'populate/refused',
    title:
      'sysPopulateOS, refused: null with a reason, or false, and nothing has changed; for want of memory, not for good',
    show: populateRefused,
  },
  ...casesOf('sysRenewOS', 'renew'),
  {
    id: 'renew/answer',
    title: 'sysRenewOS: true where the new pages have no memory, and false where they have, which core then counts',
    show: renewAnswers,
  },
  ...casesOf('sysRetireOS', 'retire'),
  ...casesOf('sysZeroOS', 'zero'),
  { id: 'optional/low-addresses', title: 'every optional function reaches a range below 4 GiB', show: atLowAddresses },
  {
    id: 'optional/two-backends',
    title: 'every optional function reaches its own kernel while a second backend lives',
    show: together,
  },
]

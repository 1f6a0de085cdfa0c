// sysUnusedAllOS, the batch of sysUnusedOS: each range is given back, and no page between them. A backend without it is
// not asked for it, and core goes from range to range.
import type { Address } from '@memlayer/kernel'
import { withBytes } from '../bytes.js'
import { claim, same, thrownBy } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import { errnosOf, NO_KERNEL } from '../errnos.js'
import type { Stage } from '../stage.js'
import { beyond32Bits, claimGuards, claimMarks, claimPlace, markAll, open, placeOf, type Place } from './place.js'
import { whileRefused, withRefusals } from './with-refusals.js'

/** Ranges of one page with a page between each, as pairs. */
export function everySecondPage(v: Address, count: number, page: number): number[] {
  return Array.from({ length: 2 * count }, (_, i) => (i % 2 === 0 ? v + (2 * (i >> 1) + 1) * page : page))
}

/** sysUnusedAllOS on the ranges within a place: these drop their contents, and the pages between them keep theirs. */
export function claimBatch(stage: Stage, place: Place, ranges: readonly number[], what: string): boolean {
  const { os, pageSize, memory } = stage
  memory.sysUsed(place.v, place.n)
  const pages = Array.from({ length: ranges.length / 2 }, (_, i) => (ranges[2 * i] ?? NaN) - place.v)
  const dropped = { ...place, probes: pages }
  const kept = { ...place, probes: pages.map((at) => at - pageSize) }
  markAll(stage, dropped, 7)
  markAll(stage, kept, 8)
  if (os.sysUnusedAllOS?.(ranges) !== true) return false
  claimMarks(stage, kept, [8], `${what}, between the ranges`)
  claimGuards(stage, place, what)
  memory.sysUsed(place.v, place.n)
  claimMarks(stage, dropped, os.traits.unusedDropsContents ? [0] : [0, 7], what)
  return true
}

/** Fails unless a batch leaves no memory in its ranges. The place is asked for as a whole, because asking is slow. */
function claimBatchReturned({ os, witness, pageSize }: Stage, { v, n }: Place, ranges: readonly number[]): void {
  if (witness.resident === undefined) return
  if (!os.traits.unusedDropsContents && witness.takeForfeit === undefined) return
  const before = witness.resident(v, n)
  for (let i = 0; i < ranges.length; i += 2) withBytes(os, ranges[i] ?? NaN, pageSize, (bytes) => bytes.fill(7))
  os.sysUnusedAllOS?.(ranges)
  witness.takeForfeit?.()
  const kept = witness.resident(v, n) - before
  claim(kept <= 0, `${kept} bytes of ${ranges.length / 2} ranges are resident after sysUnusedAllOS`)
}

function batched(world: World, counts: readonly number[]): Verdict | undefined {
  return world.play((stage) => {
    const { os, pageSize } = stage
    if (os.sysUnusedAllOS === undefined) return absent('sysUnusedAllOS')
    for (const count of counts) {
      // 5,000 pages of 64 KiB would be 300 MiB of bytes.
      if (count * pageSize > 2 ** 26) continue
      const place = placeOf(stage, (2 * count + 1) * pageSize)
      open(stage, place)
      const ranges = everySecondPage(place.v, count, pageSize)
      if (!claimBatch(stage, place, ranges, `sysUnusedAllOS of ${count} ranges`))
        return notRun('sysUnusedAllOS says that this kernel does not take ranges together')
      claimBatchReturned(stage, place, ranges)
      stage.memory.sysFree(place.whole, place.size, null)
    }
    return undefined
  })
}

function batchedOften(world: World): Verdict | undefined {
  return world.play((stage) => {
    if (stage.os.sysUnusedAllOS === undefined) return absent('sysUnusedAllOS')
    const place = placeOf(stage, 5 * stage.pageSize)
    open(stage, place)
    const ranges = everySecondPage(place.v, 2, stage.pageSize)
    for (let i = 0; i < 300; i++) {
      if (!claimBatch(stage, place, ranges, `sysUnusedAllOS number ${i + 1}`))
        return notRun('sysUnusedAllOS says that this kernel does not take ranges together')
    }
    return undefined
  })
}

/** A short batch after a long one: what only the long one had stays as it is. */
function shorterBatch(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { os, pageSize, memory } = stage
    if (os.sysUnusedAllOS === undefined) return absent('sysUnusedAllOS')
    const place = placeOf(stage, 41 * pageSize)
    open(stage, place)
    const ranges = everySecondPage(place.v, 20, pageSize)
    if (!os.sysUnusedAllOS(ranges)) return notRun('this kernel does not take ranges together')
    memory.sysUsed(place.v, place.n)
    const later = { ...place, probes: ranges.filter((_, i) => i % 2 === 0 && i >= 6).map((at) => at - place.v) }
    markAll(stage, later, 9)
    if (!os.sysUnusedAllOS(ranges.slice(0, 6))) return notRun('this kernel does not take ranges together')
    claimMarks(stage, later, [9], 'sysUnusedAllOS of 3 ranges after one of 20')
    return undefined
  })
}

function batchBeyond32Bits(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { os, pageSize, memory, witness } = stage
    if (os.sysUnusedAllOS === undefined) return absent('sysUnusedAllOS')
    let place: Place | undefined
    const refusal = thrownBy(() => {
      place = placeOf(stage, beyond32Bits(pageSize))
      open(stage, place)
    })
    if (refusal !== null || place === undefined) return notRun('the kernel has no 4 GiB to spare')
    markAll(stage, place, 7)
    if (!os.sysUnusedAllOS([place.v, place.n])) return notRun('this kernel does not take ranges together')
    memory.sysUsed(place.v, place.n)
    claimPlace(stage, place, os.traits.unusedDropsContents ? [0] : [0, 7], 'sysUnusedAllOS of one range')
    if (witness.resident === undefined || !os.traits.unusedDropsContents) return undefined
    // Two ranges whose sum is what 32 bits can't count.
    markAll(stage, place, 7)
    const half = 2 ** 31 + pageSize
    os.sysUnusedAllOS([place.v, half, place.v + half, place.n - half])
    same(witness.resident(place.v, place.n), 0, 'resident bytes of two ranges of 2 GiB after sysUnusedAllOS')
    return undefined
  })
}

/** The caller's array is read, not changed. It has neighbors to be joined, and is not in the order of addresses. */
function batchUnchanged(world: World): Verdict | undefined {
  return withRefusals(world, (stage, refuse) => {
    const { os, pageSize } = stage
    if (os.sysUnusedAllOS === undefined) return absent('sysUnusedAllOS')
    const place = placeOf(stage, 64 * pageSize)
    open(stage, place)
    const pages = [0, 1, 2, 4, 6, 7, 20, 21, 22, 23, 40, 63]
    for (const order of [pages, pages.toReversed(), [7, 6, 20, 0, 63, 1]]) {
      const words = order.flatMap((page) => [place.v + page * pageSize, pageSize])
      for (const ranges of [words, Float64Array.from(words)]) {
        for (const run of [() => os.sysUnusedAllOS?.(ranges), () => refuse(() => os.sysUnusedAllOS?.(ranges))]) {
          const before = ranges.join()
          run()
          os.refusal = null
          same(ranges.join(), before, "the caller's array after sysUnusedAllOS")
        }
      }
    }
    claimGuards(stage, place, 'sysUnusedAllOS of neighbors')
    return undefined
  })
}

function batchRefused(world: World): Verdict | undefined {
  return withRefusals(world, (stage, refuse) => {
    const { os, pageSize } = stage
    if (os.sysUnusedAllOS === undefined) return absent('sysUnusedAllOS')
    const place = placeOf(stage, 5 * pageSize)
    open(stage, place)
    markAll(stage, place, 7)
    const ranges = everySecondPage(place.v, 2, pageSize)
    for (let times = 0; times < 3; times++) {
      const answer = refuse(() => os.sysUnusedAllOS?.(ranges))
      same(answer, false, 'what sysUnusedAllOS returns when the kernel refuses every call')
      claimPlace(stage, place, [7], 'a refused sysUnusedAllOS')
    }
    // What it says once the kernel refuses no more is true, and false is allowed.
    claimBatch(stage, place, ranges, 'sysUnusedAllOS after refusals')
    return undefined
  })
}

/**
 * Gives back more ranges than one kernel call takes, and refuses call `refused` meanwhile. Returns how many calls that
 * makes; a verdict: the backend has no batch.
 */
function partRefused(world: World, errno: number | null, refused: number): number | Verdict {
  const plan = whileRefused(errno, (call) => call === refused)
  return world.play(
    (stage): number | Verdict => {
      const { os, pageSize, memory } = stage
      const { sysUnusedAllOS } = os
      if (sysUnusedAllOS === undefined) return absent('sysUnusedAllOS')
      const count = Math.min(10_000, 2 ** 26 / pageSize)
      const place = placeOf(stage, (2 * count + 1) * pageSize)
      open(stage, place)
      const ranges = everySecondPage(place.v, count, pageSize)
      const dropped = { ...place, probes: everySecond(ranges).map((at) => at - place.v) }
      markAll(stage, dropped, 7)
      const isDone = plan.refuse(() => sysUnusedAllOS.call(os, ranges))
      os.refusal = null
      memory.sysUsed(place.v, place.n)
      const what = `sysUnusedAllOS of ${count} ranges, whose call ${refused} was refused`
      claimMarks(stage, dropped, isDone && os.traits.unusedDropsContents ? [0] : [0, 7], what)
      return plan.calls
    },
    { wrap: plan.wrap },
  )
}

/** The second call is refused, and the last ones but one and two. So what the others did is not all. */
function batchPartRefused(world: World): Verdict | undefined {
  const errnos = errnosOf(world.subject)
  if (errnos === null) return notRun(NO_KERNEL)
  const [errno = null] = errnos
  const calls = partRefused(world, errno, 2)
  if (typeof calls !== 'number') return calls
  for (const refused of [calls - 1, calls - 2]) if (refused > 2) void partRefused(world, errno, refused)
  return undefined
}

/** The addresses of pairs. */
function everySecond(ranges: readonly number[]): number[] {
  return ranges.filter((_, i) => i % 2 === 0)
}

export const batchCases: readonly Definition[] = [
  {
    id: 'batch/ranges',
    title: 'sysUnusedAllOS: gives back each of 1 to 1,025 ranges, and no page between them',
    show: (world) => batched(world, [1, 2, 3, 16, 17, 64, 65, 1023, 1024, 1025]),
  },
  {
    id: 'batch/5000-ranges',
    title: 'sysUnusedAllOS: gives back each of 5,000 ranges, and no page between them',
    show: (world) => batched(world, [5000]),
  },
  {
    id: 'batch/often',
    title: 'sysUnusedAllOS: gives ranges back 300 times as it did the first time',
    show: batchedOften,
  },
  {
    id: 'batch/shorter',
    title: 'sysUnusedAllOS: a batch of 3 ranges after one of 20 gives back these 3 alone',
    show: shorterBatch,
  },
  {
    id: 'batch/beyond-32-bits',
    title: 'sysUnusedAllOS: gives a range of 4 GiB and a page back from end to end',
    show: batchBeyond32Bits,
  },
  {
    id: 'batch/callers-array',
    title: "sysUnusedAllOS: leaves the caller's array as it was, done or refused",
    show: batchUnchanged,
  },
  {
    id: 'batch/part-refused',
    title:
      'sysUnusedAllOS of 10,000 ranges: true only if every range was given back, also where a later call is refused',
    show: batchPartRefused,
  },
  { id: 'batch/refused', title: 'sysUnusedAllOS, refused: returns false, and nothing has changed', show: batchRefused },
]

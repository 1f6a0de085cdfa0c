// Transitions of ranges that lie in several reservations: the ends of such a range, and refusals in the middle of it.
import { claim, claimOutcome, isUnsettled, same, thrownBy } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import { errnosOf, NO_KERNEL } from '../errnos.js'
import { refuseWhen } from '../intercept.js'
import type { Stage } from '../stage.js'
import { beyond32Bits, claimFaults, claimMarks, isSparse, markAll, residentAway } from './place.js'
import { pagesOf, rowOf, type Row } from './row.js'
import { keepsReady } from './transitions.js'

// A transition of three small reservations makes far fewer calls.
const callsMax = 400

/** A range of a row, from an offset to another. */
interface Span {
  readonly row: Row
  readonly from: number
  readonly to: number
}

/** What the pages before and after a span hold. */
const BESIDE = 0x3c

function noRow({ os }: Stage): Verdict {
  return os.traits.hints ? notRun('no reservations were side by side') : absent('hints')
}

/** The ends that a range may have in the first and the last reservation of a row, 1 to 3 pages from the seam or all. */
function spansOf(row: Row, page: number): Span[] {
  const { count, part } = row
  const seam = (count - 1) * part
  const heads = [1, 2, 3, part / page].map((pages) => part - pages * page)
  const tails = [1, 2, 3, part / page].map((pages) => seam + pages * page)
  const spans = heads.flatMap((from) => tails.map((to) => ({ row, from, to })))
  return spans.filter(({ from, to }) => from >= 0 && to <= count * part)
}

/** Fails unless the pages of the span hold one of `allowed`, and the pages beside it what they held. */
function claimSpan(stage: Stage, { row, from, to }: Span, allowed: readonly number[], op: string): void {
  const { pageSize } = stage
  const after = `${op} from offset ${from} to ${to} of ${row.count} reservations of ${row.part} bytes`
  claimMarks(stage, pagesOf(row, pageSize, from, to), allowed, after)
  claimBesides(stage, { row, from, to }, after)
}

function claimBesides(stage: Stage, { row, from, to }: Span, after: string): void {
  claimMarks(stage, pagesOf(row, stage.pageSize, 0, from), [BESIDE], `${after}, before it`)
  claimMarks(stage, pagesOf(row, stage.pageSize, to), [BESIDE], `${after}, after it`)
}

/** Gives a span back, uses it again, makes it fault and maps it again, and looks at each page after each step. */
function playSpan(stage: Stage, span: Span): void {
  const { memory, os, pageSize } = stage
  const { row, from, to } = span
  const [v, n] = [row.v + from, to - from]
  const { unusedTraps, unusedDropsContents, faultTraps } = os.traits
  const inside = pagesOf(row, pageSize, from, to)
  const words = (op: string): string => `${op} from offset ${from} to ${to} of ${row.count} reservations`
  markAll(stage, pagesOf(row, pageSize), BESIDE)
  markAll(stage, inside, 1)
  memory.sysUnused(v, n)
  // A touch may give a page memory again.
  claimGone(stage, span, 'sysUnused')
  claimFaults(stage, inside, unusedTraps, words('sysUnused'))
  claimBesides(stage, span, words('sysUnused'))
  memory.sysUsed(v, n)
  claimFaults(stage, inside, false, words('sysUsed'))
  claimSpan(stage, span, unusedDropsContents ? [0] : [0, 1], 'sysUnused and sysUsed')
  markAll(stage, inside, 2)
  memory.sysFault(v, n)
  if (faultTraps) claimGone(stage, span, 'sysFault')
  claimFaults(stage, inside, faultTraps, words('sysFault'))
  claimBesides(stage, span, words('sysFault'))
  memory.sysMap(v, n, null)
  memory.sysUsed(v, n)
  claimFaults(stage, inside, false, words('sysMap and sysUsed'))
  claimSpan(stage, span, [0, 2], 'sysFault, sysMap and sysUsed')
  playOptional(stage, span)
}

/** Fails if a page of a span has memory. */
function claimGone(stage: Stage, { row, from, to }: Span, op: string): void {
  const kept = residentAway(stage)?.(row.v + from, to - from) ?? 0
  same(kept, 0, `resident bytes from offset ${from} to ${to} of ${row.count} reservations after ${op}`)
}

/** The functions that a backend need not have, over the same span. */
function playOptional(stage: Stage, span: Span): void {
  const { os, pageSize, witness } = stage
  const { row, from, to } = span
  const [v, n] = [row.v + from, to - from]
  const inside = pagesOf(row, pageSize, from, to)
  markAll(stage, inside, 3)
  if (os.sysZeroOS?.(v, n) === true) claimSpan(stage, span, [0], 'sysZeroOS')
  markAll(stage, inside, 4)
  // A backend may write zeroes to all of it.
  if (n < 2 ** 30 && os.sysRetireOS?.(v, n, true) === true) claimSpan(stage, span, [0], 'sysRetireOS')
  if (os.sysUnusedAllOS?.([v, n]) === true) {
    claimGone(stage, span, 'sysUnusedAllOS')
    claimBesides(stage, span, 'sysUnusedAllOS')
  }
  const [all, size] = [row.v, row.count * row.part]
  stage.memory.sysUsed(v, n)
  if (os.sysPopulateOS === undefined || witness.resident === undefined) return
  stage.memory.sysUnused(all, size)
  witness.takeForfeit?.()
  stage.memory.sysUsed(all, size)
  const before = witness.resident(all, size)
  if (os.sysPopulateOS(v, n) !== true) return
  const words = `from offset ${from} to ${to} of ${row.count} reservations after sysPopulateOS`
  same(witness.resident(v, n), n, `resident bytes ${words}`)
  if (before === 0) same(witness.resident(all, size), n, `resident bytes of all reservations ${words}`)
}

function atAllEnds(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { memory, os, pageSize } = stage
    for (const count of [1, 2, 3]) {
      const row = rowOf(stage, count)
      if (row === null) return noRow(stage)
      memory.sysMap(row.v, count * row.part, null)
      memory.sysUsed(row.v, count * row.part)
      for (const span of spansOf(row, pageSize)) {
        if (span.from < span.to) playSpan(stage, span)
      }
      if (os.refusal) os.refusal = null
    }
    return undefined
  })
}

/** Two reservations, each of more bytes than 32 bits can count, and a range from page to page over both. */
function beyondBoth(world: World): Verdict | undefined {
  return world.play(
    (stage) => {
      const { memory, os, pageSize, witness } = stage
      if (witness.setLimits === undefined)
        return notRun('needs a simulated kernel, which has no memory for pages that are untouched')
      if (!os.traits.hints) return absent('hints')
      if (!isSparse(os)) return absent('reservedTraps')
      const row = rowOf(stage, 2, beyond32Bits(pageSize))
      if (row === null) return noRow(stage)
      memory.sysMap(row.v, 2 * row.part, null)
      memory.sysUsed(row.v, 2 * row.part)
      playSpan(stage, { row, from: pageSize, to: 2 * row.part - pageSize })
      return undefined
    },
    { limits: { memory: 2 ** 44, swap: 0, commit: 2 ** 44 } },
  )
}

/** The operations that may end half way. */
const ops = ['sysMap', 'sysUsed', 'sysUnused', 'sysFault'] as const

type Op = (typeof ops)[number]

/** Does `op` over the span. */
function run({ memory }: Stage, op: Op, { row, from, to }: Span): void {
  const [v, n] = [row.v + from, to - from]
  if (op === 'sysMap') memory.sysMap(v, n, null)
  else memory[op](v, n)
}

/** Brings a row into the state in which `op` finds it. For sysUsed, the second half of each reservation is Prepared. */
function prepare(stage: Stage, op: Op, row: Row): void {
  const { memory, pageSize } = stage
  if (op === 'sysMap') return
  memory.sysMap(row.v, row.count * row.part, null)
  memory.sysUsed(row.v, row.count * row.part)
  markAll(stage, pagesOf(row, pageSize), BESIDE)
  if (op !== 'sysUsed') return
  const half = Math.floor(row.part / pageSize / 2) * pageSize
  for (let i = 0; i < row.count; i++) memory.sysUnused(row.v + i * row.part + half, row.part - half)
}

/** Which calls are refused, from the k-th one on: that one, it and all later ones, or those in the last reservation. */
const modes = ['that call', 'it and all later calls', 'it and all later calls in the last reservation'] as const

interface Refusing {
  readonly op: Op
  readonly count: number
  readonly k: number
  readonly errno: number
  readonly mode: (typeof modes)[number]
}

/** A kernel that refuses calls while `isOn`. `calls` counts those that it may refuse. */
class Refuser {
  isOn = false
  calls = 0
  /** Where the last reservation begins. */
  seam = Infinity

  wrap(kernel: object, { k, errno, mode }: Refusing): object {
    const [once, always] = modes
    return refuseWhen(kernel, (_fn, [v]) => {
      if (!this.isOn || (mode !== once && mode !== always && Number(v) < this.seam)) return null
      this.calls += 1
      return this.calls === k || (mode !== once && this.calls > k) ? errno : null
    })
  }
}

/** Refuses the k-th call of an operation. False: it makes fewer calls, or there is no row. */
function playRefused(world: World, how: Refusing): boolean {
  const { op, count, k, errno, mode } = how
  const refuser = new Refuser()
  return world.play(
    (stage) => {
      const row = rowOf(stage, count)
      if (row === null) return false
      const { os, pageSize, witness } = stage
      const span = { row, from: pageSize, to: count * row.part - pageSize }
      prepare(stage, op, row)
      const charged = witness.charged?.()
      const ready = pagesInState(stage, row, 'Ready')
      refuser.seam = row.v + (count - 1) * row.part
      refuser.isOn = true
      const error = thrownBy(() => run(stage, op, span))
      refuser.isOn = false
      const what = `${op} over ${count} reservations, refused with ${errno} at call ${k}, ${mode},`
      if (error !== null) claimOutcome(error, ['OutOfMemoryError', 'FatalError'], what)
      const isSettled = !isUnsettled(error)
      claimReady(stage, row, what)
      // What gives pages back after a refusal may be refused as well.
      const isUndone = error === null || mode === modes[0]
      if (isSettled) claimStates(stage, how, row, ready, what, { keeps: keepsReady(world), isUndone })
      if (error !== null && isUndone && isSettled && charged !== undefined)
        same(witness.charged?.(), charged, `the bytes that the kernel has promised after ${what}`)
      os.refusal = null
      if (!isSettled) return refuser.calls >= k
      if (error !== null) run(stage, op, span)
      claimLater(stage, row, what)
      return refuser.calls >= k
    },
    { wrap: (kernel) => refuser.wrap(kernel, how) },
  )
}

/** The offsets of pages in a state. */
function pagesInState({ memory, pageSize }: Stage, row: Row, wanted: string): number[] {
  const found: number[] = []
  for (const { address, size, state } of memory.ranges()) {
    if (state !== wanted) continue
    for (const at of pagesOf(row, pageSize).probes)
      if (row.v + at >= address && row.v + at < address + size) found.push(at)
  }
  return found
}

/** Fails if a page that is Ready to the account faults. */
function claimReady(stage: Stage, row: Row, what: string): void {
  stage.memory.check()
  const probes = pagesInState(stage, row, 'Ready')
  claimFaults(stage, { ...pagesOf(row, stage.pageSize), probes }, false, `${what}, Ready memory`)
}

/** Fails unless what was and is Ready has its contents, and other pages trap as the traits say. */
function claimStates(
  stage: Stage,
  { op }: Refusing,
  row: Row,
  before: readonly number[],
  what: string,
  { keeps, isUndone }: { readonly keeps: boolean; readonly isUndone: boolean },
): void {
  const { os, pageSize } = stage
  const place = pagesOf(row, pageSize)
  const now = pagesInState(stage, row, 'Ready')
  const kept = now.filter((at) => before.includes(at))
  claimMarks(stage, { ...place, probes: kept }, op === 'sysUsed' && keeps ? [BESIDE] : [0, BESIDE], what)
  const ends = kept.filter((at) => at === 0 || at === row.count * row.part - pageSize)
  claimMarks(stage, { ...place, probes: ends }, [BESIDE], `${what}, beside it`)
  if (!isUndone) return
  const { unusedTraps, reservedTraps, faultTraps } = os.traits
  // What was never used may be touched until it is given back.
  if (unusedTraps && op !== 'sysMap')
    claimFaults(stage, { ...place, probes: pagesInState(stage, row, 'Prepared') }, true, `${what}, Prepared memory`)
  if (reservedTraps && faultTraps)
    claimFaults(stage, { ...place, probes: pagesInState(stage, row, 'Reserved') }, true, `${what}, Reserved memory`)
}

/** All of the row can be had, once the kernel refuses no more. */
function claimLater(stage: Stage, row: Row, what: string): void {
  const { memory, pageSize } = stage
  const n = row.count * row.part
  for (const { address, size, state } of memory.ranges()) {
    if (state === 'Reserved' && address >= row.v && address < row.v + n) memory.sysMap(address, size, null)
  }
  memory.sysUsed(row.v, n)
  markAll(stage, pagesOf(row, pageSize), 5)
  claimMarks(stage, pagesOf(row, pageSize), [5], `${what}, done again and written`)
}

function refused(world: World): Verdict | undefined {
  const errnos = errnosOf(world.subject)
  if (errnos === null) return notRun(NO_KERNEL)
  const why = world.play((stage) => (rowOf(stage, 3) === null ? noRow(stage) : null))
  if (why !== null) return why
  for (const op of ops)
    for (const errno of errnos)
      for (const mode of modes)
        for (const count of [1, 2, 3]) {
          let k = 1
          while (playRefused(world, { op, count, k, errno, mode }))
            claim((k += 1) < callsMax, `${op} over ${count} reservations makes more than ${callsMax} kernel calls`)
        }
  return undefined
}

export const acrossCases: readonly Definition[] = [
  {
    id: 'across/ends',
    title: 'every transition reaches a range over one to three reservations, wherever it ends, and no page beside it',
    show: atAllEnds,
  },
  {
    id: 'across/beyond-32-bits',
    title: 'every transition reaches a range over two reservations of 4 GiB and a page each',
    show: beyondBoth,
  },
  {
    id: 'across/refused',
    title: 'for any refused call over one to three reservations, each page is in its state and Ready pages stay',
    show: refused,
  },
]

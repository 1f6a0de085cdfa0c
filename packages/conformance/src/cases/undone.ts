// An operation, undone in another way than it was done, and done again, or followed by one beside it. A backend that
// remembers its last range and looks only where ranges begin, or only at ranges of the same size, takes what was undone
// for done. One that joins a range to the last one, because they touch, does to the last one what was not asked.
import type { Address } from '@memlayer/kernel'
import { claim, rangeText } from '../claim.js'
import type { Definition, World } from '../definition.js'
import type { Stage } from '../stage.js'
import { claimFaults, claimMarks, markAll, placeIn, residentAway } from './place.js'

/** Units of a span, and the part that the operation has. */
const UNITS = 12
const own: Part = [4, 8]

/** From a unit up to another one. */
type Part = readonly [from: number, to: number]

/** How the part is undone: pieces that cover all of it, more, or less. */
const covers: readonly (readonly Part[])[] = [
  [own],
  [[2, 8]],
  [[4, 10]],
  [[2, 10]],
  [
    [2, 6],
    [6, 10],
  ],
  [
    [6, 10],
    [2, 6],
  ],
  [
    [7, 8],
    [6, 7],
    [5, 6],
    [4, 5],
  ],
  [[5, 7]],
  [[4, 5]],
  [[7, 8]],
  [[3, 6]],
  [[6, 9]],
]

/** A span of units with what an operation needs of it. */
interface Span {
  readonly stage: Stage
  readonly v: Address
  /** Whether a function that may say no has said yes. */
  isDone: boolean
}

type OnPart = (span: Span, v: Address, n: number) => void

/** An operation that is done, undone and done again. */
interface Redone {
  /** Brings all of the span to where the operation starts from. */
  readonly start: OnPart
  readonly run: OnPart
  /** Brings what lies beside the part to where `undo` starts from. */
  readonly follow: OnPart
  readonly undo: OnPart
  /** Fails unless the operation has its whole effect on the range. */
  readonly look: (span: Span, v: Address, n: number, what: string) => void
  /** Fails unless the range is as `undo` left it. Absent: nothing tells. */
  readonly lookUndone?: (span: Span, v: Address, n: number, what: string) => void
}

const map: OnPart = ({ stage }, v, n) => stage.memory.sysMap(v, n, null)
const use: OnPart = ({ stage }, v, n) => stage.memory.sysUsed(v, n)
const fault: OnPart = ({ stage }, v, n) => stage.memory.sysFault(v, n)

const give: OnPart = ({ stage }, v, n) => stage.memory.sysUnused(v, n)

const giveAll: OnPart = ({ stage }, v, n) => stage.memory.sysUnusedAll([v, n])

const write: OnPart = ({ stage }, v, n) => markAll(stage, placeIn(v, n, stage.pageSize), 7)

const both =
  (...steps: readonly OnPart[]): OnPart =>
  (span, v, n) => {
    for (const step of steps) step(span, v, n)
  }

const nothing: OnPart = () => undefined

function claimAway({ stage }: Span, v: Address, n: number, what: string): void {
  const kept = residentAway(stage)?.(v, n) ?? 0
  claim(kept === 0, `${what} of ${rangeText(v, n)}: expected no resident bytes, found ${kept}`)
}

/** Fails unless [v, v+n) can be written and keeps what is written. */
function claimUsable({ stage }: Span, v: Address, n: number, what: string): void {
  const place = placeIn(v, n, stage.pageSize)
  claimFaults(stage, place, false, what)
  markAll(stage, place, 5)
  stage.witness.takeForfeit?.()
  claimMarks(stage, place, [5], what)
}

/** Fails unless [v, v+n) holds what `write` wrote, also once the kernel has taken what it may take. */
function claimWritten({ stage }: Span, v: Address, n: number, what: string): void {
  stage.witness.takeForfeit?.()
  claimMarks(stage, placeIn(v, n, stage.pageSize), [7], what)
}

function claimTraps({ stage }: Span, v: Address, n: number, what: string): void {
  if (stage.os.traits.faultTraps) claimFaults(stage, placeIn(v, n, stage.pageSize), true, what)
}

const operations: Readonly<Record<string, Redone>> = {
  sysMap: {
    start: nothing,
    run: both(map, use),
    follow: both(map, use),
    undo: fault,
    look: claimUsable,
    lookUndone: claimTraps,
  },
  'sysUsed after sysUnused': {
    start: both(map, use, write, give),
    run: use,
    follow: use,
    undo: give,
    look: claimUsable,
    lookUndone: claimAway,
  },
  'sysUsed after sysFault and sysMap': {
    start: map,
    run: use,
    follow: use,
    undo: both(fault, map),
    look: claimUsable,
  },
  sysUnused: {
    start: both(map, use, write),
    run: give,
    follow: give,
    undo: both(use, write),
    look: (span, v, n, what) => {
      claimAway(span, v, n, what)
      const { stage } = span
      if (stage.os.traits.unusedTraps) claimFaults(stage, placeIn(v, n, stage.pageSize), true, what)
    },
    lookUndone: claimWritten,
  },
  sysUnusedAll: {
    start: both(map, use, write),
    run: giveAll,
    follow: giveAll,
    undo: both(use, write),
    look: claimAway,
    lookUndone: claimWritten,
  },
  sysFault: {
    start: both(map, use, write),
    run: fault,
    follow: fault,
    undo: both(map, use, write),
    look: (span, v, n, what) => {
      const { stage } = span
      if (!stage.os.traits.faultTraps) return
      claimAway(span, v, n, what)
      claimTraps(span, v, n, what)
    },
    lookUndone: claimWritten,
  },
  sysZeroOS: {
    start: both(map, use, write),
    run: (span, v, n) => (span.isDone = span.stage.os.sysZeroOS?.(v, n) === true),
    follow: nothing,
    undo: write,
    look: ({ stage, isDone }, v, n, what) => {
      if (isDone) claimMarks(stage, placeIn(v, n, stage.pageSize), [0], what)
    },
    lookUndone: claimWritten,
  },
  sysPopulateOS: {
    start: both(map, use),
    run: (span, v, n) => (span.isDone = span.stage.os.sysPopulateOS?.(v, n) === true),
    follow: nothing,
    undo: both(give, use),
    look: ({ stage, isDone }, v, n, what) => {
      const found = stage.witness.resident?.(v, n) ?? n
      claim(!isDone || found === n, `${what} of ${rangeText(v, n)}: expected ${n} resident bytes, found ${found}`)
    },
  },
}

/** The parts of a cover that lie beside the operation's own. */
function besideOwn([from, to]: Part): Part[] {
  const parts: Part[] = [
    [from, Math.min(to, own[0])],
    [Math.max(from, own[1]), to],
  ]
  return parts.filter(([start, end]) => start < end)
}

/** What was undone of the operation's own part. */
function undoneOf(cover: readonly Part[]): readonly Part[] {
  const inside = cover
    .map(([from, to]): Part => [Math.max(from, own[0]), Math.min(to, own[1])])
    .filter(([from, to]) => from < to)
  const units = inside.reduce((sum, [from, to]) => sum + to - from, 0)
  return units === own[1] - own[0] ? [own] : inside
}

function textOf(parts: readonly Part[]): string {
  return parts.map(([from, to]) => `units ${from} to ${to}`).join(' and ')
}

function playUndone(stage: Stage, name: string, redone: Redone, cover: readonly Part[], isLast: boolean): void {
  const { memory, os, unit } = stage
  const v = memory.sysReserve(null, UNITS * unit)
  const span: Span = { stage, v, isDone: false }
  const on = (run: OnPart, parts: readonly Part[]): void => {
    for (const [from, to] of parts) run(span, v + from * unit, (to - from) * unit)
  }
  on(redone.start, [[0, UNITS]])
  const rest = cover.flatMap(besideOwn)
  // Where the own part comes last, a backend remembers it.
  if (isLast) on(redone.follow, rest)
  on(redone.run, [own])
  if (!isLast) on(redone.follow, rest)
  on(redone.undo, cover)
  const words = `${name}, which was done for ${textOf([own])}, undone for ${textOf(cover)} and done again`
  for (const [from, to] of undoneOf(cover)) {
    const [at, n] = [v + from * unit, (to - from) * unit]
    redone.run(span, at, n)
    redone.look(span, at, n, words)
  }
  os.refusal = null
  memory.sysFree(v, UNITS * unit, null)
}

/** Ranges that touch the operation's own part, as they are used one after the other. */
const sides: readonly (readonly Part[])[] = [
  [[8, 12]],
  [[0, 4]],
  [[8, 9]],
  [[3, 4]],
  [
    [8, 12],
    [0, 4],
  ],
  [
    [0, 2],
    [2, 4],
    [8, 10],
    [10, 12],
  ],
]

/** Does an operation, undoes it, and has another one follow in ranges that touch its own. */
function playBeside(stage: Stage, names: readonly [first: string, next: string], parts: readonly Part[]): void {
  const { memory, os, unit } = stage
  const [first, next] = [operations[names[0]], operations[names[1]]]
  if (first === undefined || next === undefined) return
  const v = memory.sysReserve(null, UNITS * unit)
  const span: Span = { stage, v, isDone: false }
  const at = ([from, to]: Part): [Address, number] => [v + from * unit, (to - from) * unit]
  first.start(span, ...at(own))
  for (const part of parts) next.start(span, ...at(part))
  first.run(span, ...at(own))
  first.undo(span, ...at(own))
  const words = `${names[0]}, which was done for ${textOf([own])}, undone, and followed by ${names[1]}`
  for (const part of parts) {
    next.run(span, ...at(part))
    next.look(span, ...at(part), `${words}, for ${textOf([part])}`)
  }
  first.lookUndone?.(span, ...at(own), `${words} for ${textOf(parts)}`)
  os.refusal = null
  memory.sysFree(v, UNITS * unit, null)
}

function undone(world: World): void {
  world.play((stage) => {
    for (const [name, redone] of Object.entries(operations))
      for (const cover of covers) for (const isLast of [true, false]) playUndone(stage, name, redone, cover, isLast)
  })
}

function beside(world: World): void {
  world.play((stage) => {
    const names = Object.keys(operations)
    for (const first of names)
      for (const next of names) for (const parts of sides) playBeside(stage, [first, next], parts)
  })
}

export const undoneCases: readonly Definition[] = [
  {
    id: 'repeated/undone',
    title: 'an operation has its whole effect again, in whichever ranges it was undone',
    show: undone,
  },
  {
    id: 'repeated/beside',
    title: 'an operation on a range that touches the last one leaves that one as it has become meanwhile',
    show: beside,
  },
]

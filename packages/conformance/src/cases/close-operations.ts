// The operations of a close history: what each may start from, what it does to the cells, and which functions that a
// backend need not have are asked as core asks them.
import type { OS, RegionState } from '@memlayer/core'
import { claim } from '../claim.js'
import type { Stage } from '../stage.js'
import { cellsOf, claimCell, rangeOf, writeCell, type Cell, type Run } from './close-space.js'

/** What a history knows besides its cells. */
export interface Knowledge {
  /** Whether sysUsed on a mix keeps the contents of the Ready part. */
  readonly keepsReady: boolean
  /** Whether the contents that sysUsed found stay, also where the page is not written. */
  readonly usedHolds: boolean
  /** Whether the kernel refuses calls at random. */
  readonly mayFail: boolean
}

/** An operation on a run of cells. */
export interface Operation {
  readonly name: string
  /** How often it is chosen, compared with the others. */
  readonly weight: number
  readonly from: readonly RegionState[]
  /** Whether nothing can be done without it. */
  readonly isNeeded?: boolean
  /** Whether the backend has it. */
  readonly isThere?: (stage: Stage, knowledge: Knowledge) => boolean
  run(stage: Stage, run: Run, byte: number): unknown
  /** Tells the cells what was done. */
  done(stage: Stage, run: Run, byte: number, knowledge: Knowledge, answer: unknown): void
}

const owned: readonly RegionState[] = ['Reserved', 'Prepared', 'Ready']

/** Makes the contents of a cell forfeit: zero with `isZero`, else zero or what they were. */
export function forfeit(cell: Cell, isZero: boolean): void {
  if (cell.byte !== null) cell.old = cell.byte
  cell.byte = isZero ? 0 : null
}

function leave(cell: Cell, state: 'Prepared' | 'Reserved', isZero: boolean, mayFail: boolean): void {
  forfeit(cell, isZero && !mayFail)
  cell.state = state
  cell.isUnused = state === 'Prepared'
  // A kernel that refuses advice may give memory to what was given back.
  cell.isAway = !mayFail
}

/** The cells that share a huge page with a run. Without huge pages, its own. */
function beside({ os }: Stage, { space, from, to }: Run): readonly Cell[] {
  const blocks = new Set(cellsOf({ space, from, to }).map((cell) => blockOf(os, cell)))
  return space.cells.filter((cell) => blocks.has(blockOf(os, cell)))
}

function blockOf({ traits }: OS, { v }: Cell): number {
  return Math.floor(v / Math.max(traits.hugePageSize, 1))
}

/** From now on the huge pages that a run meets may serve all their cells. */
function mayServe(stage: Stage, run: Run): void {
  for (const cell of beside(stage, run)) run.space.cut.delete(blockOf(stage.os, cell))
}

/** From now on the huge pages that lie in a run may serve it. */
function serveWhole(stage: Stage, run: Run): void {
  const own = new Set(cellsOf(run))
  const met = new Set(beside(stage, run).flatMap((cell) => (own.has(cell) ? [] : [blockOf(stage.os, cell)])))
  for (const cell of own) if (!met.has(blockOf(stage.os, cell))) run.space.cut.delete(blockOf(stage.os, cell))
}

/** A touch of a run may give memory to every cell that shares a huge page with it, unless the huge page was cut. */
function mayTouch(stage: Stage, run: Run): void {
  for (const cell of beside(stage, run)) if (!run.space.cut.has(blockOf(stage.os, cell))) cell.isAway = false
}

/** Tells the cells of runs that they were given back in one call. A huge page that they meet in part is cut. */
export function unused(stage: Stage, runs: readonly Run[], { mayFail }: Knowledge): void {
  const { os } = stage
  const given = new Set(runs.flatMap(cellsOf))
  const known = runs.flatMap((run) => beside(stage, run).filter((cell) => (cell.byte ?? 0) !== 0))
  const written = new Set(known.map((cell) => blockOf(os, cell)))
  for (const cell of given) leave(cell, 'Prepared', os.traits.unusedDropsContents, mayFail)
  // A block that was only read may be the kernel's huge page of zeroes. Advice that leaves contents there leaves that
  // too, and one write then gives memory to all of it.
  if (!os.traits.unusedDropsContents && os.traits.hugePageSize > 0)
    for (const cell of given) cell.isAway &&= written.has(blockOf(os, cell))
  for (const run of runs) {
    mayServe(stage, run)
    for (const cell of beside(stage, run)) if (!given.has(cell)) run.space.cut.add(blockOf(os, cell))
  }
}

/** The transitions. */
const transitions: readonly Operation[] = [
  {
    name: 'sysMap',
    isNeeded: true,
    weight: 4,
    from: ['Reserved'],
    run: ({ memory }, run) => memory.sysMap(...rangeOf(run), null),
    done: (stage, run) => {
      mayServe(stage, run)
      for (const cell of cellsOf(run)) [cell.state, cell.isAway, cell.isUnused] = ['Prepared', false, false]
    },
  },
  {
    name: 'sysUsed',
    isNeeded: true,
    weight: 6,
    from: ['Prepared', 'Ready'],
    run: ({ memory }, run) => memory.sysUsed(...rangeOf(run)),
    done: (stage, run, _byte, { keepsReady, usedHolds }) => {
      serveWhole(stage, run)
      mayTouch(stage, run)
      for (const cell of cellsOf(run)) {
        if (!keepsReady && cell.state === 'Ready') forfeit(cell, false)
        ;[cell.state, cell.isAway, cell.isUnused] = ['Ready', false, false]
        claimCell(stage, cell, usedHolds, 'after sysUsed')
      }
    },
  },
  {
    name: 'sysUnused',
    weight: 5,
    from: ['Ready'],
    run: ({ memory }, run) => memory.sysUnused(...rangeOf(run)),
    done: (stage, run, _byte, knowledge) => unused(stage, [run], knowledge),
  },
  {
    name: 'sysFault',
    weight: 4,
    from: ['Prepared', 'Ready'],
    run: ({ memory }, run) => memory.sysFault(...rangeOf(run)),
    done: (stage, run, _byte, { mayFail }) => {
      mayServe(stage, run)
      for (const cell of cellsOf(run)) leave(cell, 'Reserved', false, mayFail)
    },
  },
  {
    name: 'sysHugePage',
    weight: 1,
    from: owned,
    run: ({ memory }, run) => memory.sysHugePage(...rangeOf(run)),
    done: (stage, run) => {
      mayServe(stage, run)
      mayTouch(stage, run)
    },
  },
  {
    name: 'a write',
    weight: 4,
    from: ['Ready'],
    run: (stage, run, byte) => {
      for (const cell of cellsOf(run)) writeCell(stage, cell, byte)
    },
    done: () => undefined,
  },
]

/** The functions that a backend need not have. */
const optional: readonly Operation[] = [
  {
    name: 'sysNoHugePageOS',
    weight: 1,
    from: owned,
    isThere: ({ os }) => os.sysNoHugePageOS !== undefined,
    run: ({ os }, run) => os.sysNoHugePageOS?.(...rangeOf(run)),
    done: () => undefined,
  },
  {
    name: 'sysPopulateOS',
    weight: 1,
    from: ['Ready'],
    isThere: ({ os }) => os.sysPopulateOS !== undefined,
    run: ({ os }, run) => os.sysPopulateOS?.(...rangeOf(run)),
    done: ({ witness }, run, _byte, { mayFail }, answer) => {
      const [v, n] = rangeOf(run)
      if (answer !== true || mayFail || witness.resident === undefined) return
      const found = witness.resident(v, n)
      claim(found === n, `after sysPopulateOS of ${n} bytes, ${found} of them are resident`)
    },
  },
  ...(['sysZeroOS', 'sysRenewOS'] as const).map((name): Operation => ({
    name,
    weight: 1,
    from: ['Ready'],
    isThere: ({ os }) => os[name] !== undefined,
    run: ({ os }, run) => os[name]?.(...rangeOf(run)),
    done: (stage, run, _byte, _knowledge, answer) => {
      mayServe(stage, run)
      mayTouch(stage, run)
      for (const cell of cellsOf(run)) {
        forfeit(cell, answer === true)
        claimCell(stage, cell, false, `after ${name}`)
      }
    },
  })),
  {
    // Where sysFree is refused, what is retired would not be in the state that the account says.
    name: 'sysRetireOS and sysFree',
    weight: 1,
    from: owned,
    isThere: ({ os }, { mayFail }) => os.sysRetireOS !== undefined && os.traits.freesParts && !mayFail,
    run: ({ os, memory }, run) => {
      const answer = os.sysRetireOS?.(...rangeOf(run), false)
      os.refusal = null
      memory.sysFree(...rangeOf(run), null)
      return answer
    },
    done: (_stage, run) => freed(run),
  },
  {
    name: 'sysRoomOS',
    weight: 1,
    from: owned,
    isThere: ({ os }) => os.sysRoomOS !== undefined,
    run: ({ os }, run) => os.sysRoomOS?.(rangeOf(run)[1]),
    done: (_stage, _run, _byte, { mayFail }, answer) =>
      claim(answer === true || mayFail, `sysRoomOS returned ${String(answer)}, and the kernel refuses no call`),
  },
]

export function freed(run: Run): void {
  for (const cell of cellsOf(run)) [cell.state, cell.isAway] = ['None', false]
}

const freeing: Operation = {
  name: 'sysFree',
  weight: 1,
  from: owned,
  isThere: ({ os }) => os.traits.freesParts,
  run: ({ memory }, run) => memory.sysFree(...rangeOf(run), null),
  done: (_stage, run) => freed(run),
}

/** Hands a part out again. Where the address is not honored, what came is freed. */
const again: Operation = {
  name: 'sysReserve',
  weight: 6,
  from: ['None'],
  isThere: ({ os }) => os.traits.hints,
  run: ({ memory }, run) => {
    const [v, n] = rangeOf(run)
    const p = memory.sysReserve(v, n)
    if (p !== v) memory.sysFree(p, n, null)
    return p === v
  },
  done: (_stage, run, _byte, _knowledge, answer) => {
    if (answer !== true) return
    for (const cell of cellsOf(run))
      [cell.state, cell.byte, cell.old, cell.isAway, cell.isUnused] = ['Reserved', 0, 0, false, false]
  },
}

/** The operations that the backend has. */
export function operationsOf(stage: Stage, knowledge: Knowledge): readonly Operation[] {
  return [...transitions, ...optional, freeing, again].filter(({ isThere }) => isThere?.(stage, knowledge) ?? true)
}

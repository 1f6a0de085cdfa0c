// Close histories: random operations on two small spaces, whose ranges meet the last ones again: the same range, its
// head, its tail, its neighbour. They find a backend that remembers something about ranges which does not stay true.
import { claim, outcomeOf, rangeText, same, thrownBy, ConformanceError } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import { errnosOf, NO_KERNEL } from '../errnos.js'
import { random, type Random } from '../random.js'
import type { Stage } from '../stage.js'
import { forfeit, operationsOf, unused, type Knowledge, type Operation } from './close-operations.js'
import {
  cellsOf,
  claimCell,
  closeBoundaries,
  hugeBoundaries,
  pagesOf,
  rangeOf,
  spaceAt,
  type Cell,
  type Run,
  type Space,
} from './close-space.js'
import { residentAway } from './place.js'
import { usedHolds } from './taken-back.js'
import { keepsReady } from './transitions.js'
import { refusedAtRandom } from './with-refusals.js'

/** Histories of a case, each on a new stage. */
const HISTORIES = 16
/** Operations of a history. */
const STEPS = 80
/** Operations after which a space makes room for a new one. */
const spaceSteps = 60
/** Ranges that a history remembers. */
const rangesMax = 4

/** One history on one stage. */
class CloseHistory {
  readonly #stage: Stage
  readonly #random: Random
  readonly #boundaries: readonly number[]
  readonly #knowledge: Knowledge
  readonly #operations: readonly Operation[]
  readonly #spaces: Space[] = []
  // A kernel may take pages at each call, also where it is only looked at. So some histories look rarely.
  readonly #looksEach: number
  #last: Run[] = []
  /** What was tried last, for a report. */
  last = 'the first range is asked for'
  done = 0

  constructor(stage: Stage, numbers: Random, boundaries: readonly number[], knowledge: Knowledge) {
    this.#stage = stage
    this.#random = numbers
    this.#boundaries = boundaries
    this.#knowledge = knowledge
    this.#looksEach = numbers.pick([1, 4, 16])
    // Each history prefers other operations and has none of some, so that rare orders come up.
    this.#operations = operationsOf(stage, knowledge).flatMap((one) =>
      Array<Operation>(one.weight * numbers.pick(one.isNeeded === true ? [1, 3] : [0, 1, 3])).fill(one),
    )
  }

  /** Runs one operation. */
  step(): void {
    const { below } = this.#random
    if (this.#spaces.length < 2) return this.#obtain()
    if (below(spaceSteps) === 0) return this.#free()
    if (below(8) === 0) return this.#unusedAll()
    const run = this.#choose()
    const cells = cellsOf(run)
    const legal = this.#operations.filter(({ from }) => cells.every(({ state }) => from.includes(state)))
    if (legal.length === 0) return
    const operation = this.#random.pick(legal)
    const byte = 1 + below(255)
    this.#try([run], operation.name, () => {
      const answer = operation.run(this.#stage, run, byte)
      return () => operation.done(this.#stage, run, byte, this.#knowledge, answer)
    })
  }

  /** Tries something on runs, and remembers them. `run` returns what tells the cells. */
  #try(runs: readonly Run[], name: string, run: () => () => void): void {
    this.last = `${name} of ${runs.map((one) => rangeText(...rangeOf(one))).join(' and ')}`
    let tell: (() => void) | undefined
    const error = thrownBy(() => (tell = run()))
    if (error !== null) {
      if (!this.#knowledge.mayFail || !['OutOfMemoryError', 'FatalError'].includes(outcomeOf(error) ?? '')) throw error
      this.#refused(runs)
    } else {
      tell?.()
      this.done += 1
    }
    if (this.#stage.os.refusal) this.#stage.os.refusal = null
    this.#last = [...runs, ...this.#last].slice(0, rangesMax)
  }

  /** What was refused may have lost its contents. Of several ranges, the first ones may be done. */
  #refused(runs: readonly Run[]): void {
    const ranges = this.#stage.memory.ranges()
    // What is not owned may be a part of another space by now.
    for (const cell of runs.flatMap(cellsOf).filter(({ state }) => state !== 'None')) {
      const found = ranges.find(({ address, size }) => cell.v >= address && cell.v < address + size)
      forfeit(cell, false)
      cell.isAway = false
      // A range of which a part was done and undone may be touchable.
      cell.isUnused = false
      cell.state = found?.state ?? 'None'
    }
  }

  #obtain(): void {
    const { memory, os } = this.#stage
    const n = this.#boundaries.at(-1) ?? NaN
    const huge = os.traits.hugePageSize
    const kind = huge > 0 && n % huge === 0 ? 'aligned' : this.#random.below(3) === 0 ? 'sysAlloc' : 'sysReserve'
    const error = thrownBy(() => {
      let range = { address: 0, size: n }
      if (kind === 'aligned') range = memory.sysReserveAligned(null, n, huge)
      else range.address = kind === 'sysAlloc' ? memory.sysAlloc(n, null) : memory.sysReserve(null, n)
      const state = kind === 'sysAlloc' ? 'Ready' : 'Reserved'
      this.#spaces.push(spaceAt(range.address, range.size, this.#boundaries, state))
    })
    if (error !== null && !this.#knowledge.mayFail) throw error
  }

  /** Frees what is left of a space. */
  #free(): void {
    const [space] = this.#spaces.splice(this.#random.below(this.#spaces.length), 1)
    this.#last = this.#last.filter((run) => run.space !== space)
    if (space !== undefined) this.#freeSpace(space)
  }

  #freeSpace(space: Space): void {
    if (!this.#stage.os.traits.freesParts) return this.#freeRange(space.v, space.n)
    for (let from = 0; from < space.cells.length; from++) {
      if (space.cells[from]?.state === 'None') continue
      let to = from + 1
      while (to < space.cells.length && space.cells[to]?.state !== 'None') to += 1
      this.#freeRange(...rangeOf({ space, from, to }))
      from = to
    }
  }

  #freeRange(v: number, n: number): void {
    const error = thrownBy(() => this.#stage.memory.sysFree(v, n, null))
    // What the kernel refused to take stays owned, and the stage frees it.
    if (error !== null && !this.#knowledge.mayFail) throw error
  }

  /** Runs that are Ready, in one call. Most of them lie beside the one before. */
  #unusedAll(): void {
    const found: Run[] = []
    for (let times = 0; times < 12 && found.length < 4; times++) {
      const last = found.at(-1)
      const run = this.#cut(last === undefined || this.#random.below(4) === 0 ? this.#choose() : this.#near(last))
      const isApart = found.every(({ space, from, to }) => space !== run.space || run.to <= from || run.from >= to)
      if (isApart && cellsOf(run).every(({ state }) => state === 'Ready')) found.push(run)
    }
    if (found.length === 0) return
    this.#try(found, 'sysUnusedAll', () => {
      this.#stage.memory.sysUnusedAll(found.flatMap((run) => [...rangeOf(run)]))
      return () => unused(this.#stage, found, this.#knowledge)
    })
  }

  /** A run at random, or one made from the last ones. Cut to one state in half of all cases. */
  #choose(): Run {
    const { below, pick } = this.#random
    const isNear = this.#last.length > 0 && below(2) === 0
    const run = isNear ? this.#near(pick(this.#last)) : this.#any(pick(this.#spaces))
    return below(2) === 0 ? run : this.#cut(run)
  }

  /** The beginning of a run that is in one state. */
  #cut(run: Run): Run {
    const state = run.space.cells[run.from]?.state
    const end = run.space.cells.findIndex((cell, i) => i > run.from && cell.state !== state)
    return { ...run, to: end === -1 ? run.to : Math.min(run.to, end) }
  }

  #any(space: Space): Run {
    const from = this.#random.below(space.cells.length)
    return { space, from, to: from + 1 + this.#random.below(space.cells.length - from) }
  }

  /** A run that has to do with another one. */
  #near({ space, from, to }: Run): Run {
    const { below, pick } = this.#random
    const inside = from + below(to - from)
    const more = 1 + below(3)
    const [start, end] = pick([
      [from, to],
      [from, to],
      [from, inside + 1],
      [inside, to],
      [inside, inside + 1 + below(to - inside)],
      [inside, to + more],
      [from - more, inside + 1],
      [to, to + more],
      [from - more, from],
      [from - more, to],
      [from, to + more],
      [from - more, to + more],
    ] as const)
    const first = Math.min(Math.max(start, 0), space.cells.length - 1)
    return { space, from: first, to: Math.max(first + 1, Math.min(end, space.cells.length)) }
  }

  /** Looks at some cells, and now and then lets the kernel do what it may at any time. */
  look(): void {
    const { witness } = this.#stage
    const { below, pick } = this.#random
    if (below(this.#looksEach) !== 0) return
    const touched = this.#last[0]
    for (const run of [touched, touched, this.#spaces.length === 0 ? undefined : this.#any(pick(this.#spaces))]) {
      if (run !== undefined && this.#spaces.includes(run.space)) this.#claimState(pick(cellsOf(run)), false)
    }
    if (below(6) === 0) witness.takeForfeit?.()
    if (below(6) === 0) this.#collapse()
    if (below(3) === 0) this.#claimAway()
    if (below(10) === 0) this.check()
  }

  /** Makes huge pages, once what may be taken is taken: a kernel may make one of pages that it has not taken yet. */
  #collapse(): void {
    const { witness } = this.#stage
    witness.takeForfeit?.()
    for (const { v, n } of this.#spaces) witness.collapse?.(...this.#whole(v, n))
  }

  /** The range, where no part of it was freed. */
  #whole(v: number, n: number): [v: number, n: number] {
    const space = this.#spaces.find((one) => one.v === v)
    return space?.cells.some(({ state }) => state === 'None') === true ? [v, 0] : [v, n]
  }

  #claimState({ v, n, state, isUnused }: Cell, writes: boolean): void {
    const { os, pageSize, witness } = this.#stage
    if (witness.faults === undefined || state === 'None') return
    const { reservedTraps, faultTraps, unusedTraps } = os.traits
    const traps =
      state === 'Ready' ? false : state === 'Reserved' ? reservedTraps && faultTraps : isUnused && unusedTraps
    // Where it need not trap, only Ready memory may be touched.
    if (state !== 'Ready' && !traps) return
    for (const at of pagesOf({ v, n } as Cell, pageSize)) {
      const does = witness.faults(at, writes && !traps ? 'write' : 'read')
      claim(does === traps, `${state} memory at ${rangeText(at, pageSize)} ${does ? 'faults' : 'does not fault'}`)
    }
  }

  /** Fails if what was given back has memory. */
  #claimAway(): void {
    const { faultTraps } = this.#stage.os.traits
    const resident = residentAway(this.#stage)
    if (resident === null) return
    for (const { v, n, state, isAway } of this.#spaces.flatMap(({ cells }) => cells)) {
      if (!isAway || (state === 'Reserved' && !faultTraps)) continue
      same(resident(v, n), 0, `the resident bytes of ${rangeText(v, n)}, ${state} memory that was given back`)
    }
  }

  /** Looks at every cell. */
  check(): void {
    const { memory, witness } = this.#stage
    memory.check()
    for (const cell of this.#spaces.flatMap(({ cells }) => cells)) {
      if (cell.state === 'Ready') claimCell(this.#stage, cell, false, 'when all is looked at')
      // A real kernel is slow to ask.
      if (this.#random.below(5) !== 0) continue
      this.#claimState(cell, true)
      if (cell.state !== 'None' && witness.held !== undefined)
        same(witness.held(cell.v, cell.n), cell.n, `what the kernel holds of ${rangeText(cell.v, cell.n)}`)
    }
  }

  /** Frees all. */
  end(): void {
    while (this.#spaces.length > 0) this.#free()
  }
}

interface CloseOptions {
  readonly salt: number
  readonly boundaries: (stage: Stage) => readonly number[]
  readonly wrap?: (kernel: object) => object
  /** Called before and after the part in which the kernel may refuse calls. */
  readonly refusing?: (on: boolean) => void
}

function relate(world: World, { salt, boundaries, wrap, refusing }: CloseOptions): void {
  const mayFail = refusing !== undefined
  const knowledge: Knowledge = {
    keepsReady: keepsReady(world),
    usedHolds: !mayFail && usedHolds(world),
    mayFail,
  }
  let done = 0
  for (let round = 0; round < HISTORIES; round++) {
    const seed = (world.seed + salt) * HISTORIES + round
    const numbers = random(seed)
    let at = 0
    let last = ''
    try {
      world.play(
        (stage) => {
          const history = new CloseHistory(stage, numbers, boundaries(stage), knowledge)
          while (at < STEPS) {
            refusing?.(true)
            history.step()
            refusing?.(false)
            last = history.last
            history.look()
            at += 1
          }
          history.check()
          history.end()
          done += history.done
        },
        wrap === undefined ? { seed } : { seed, wrap },
      )
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error)
      const place = `history ${round + 1}, step ${at}, after ${last}`
      throw new ConformanceError(`${place}: ${words}. The seed ${world.seed} replays it`, { cause: error })
    }
  }
  const all = HISTORIES * STEPS
  claim(done > all / 8, `only ${done} of ${all} operations succeeded`)
}

function refused(world: World): Verdict | undefined {
  const errnos = errnosOf(world.subject)
  if (errnos === null) return notRun(NO_KERNEL)
  relate(world, { salt: 6, boundaries: closeBoundaries, ...refusedAtRandom(random(world.seed + 5), errnos) })
  return undefined
}

function inHugePages(world: World): Verdict | undefined {
  const huge = world.play(({ os }) => os.traits.hugePageSize)
  if (huge === 0) return absent('hugePageSize')
  relate(world, { salt: 7, boundaries: hugeBoundaries })
  return undefined
}

export const closeHistoryCases: readonly Definition[] = [
  {
    id: 'histories/close',
    title: `${HISTORIES * STEPS} random operations on ranges that meet the last ones again leave what they promise`,
    show: (world) => void relate(world, { salt: 4, boundaries: closeBoundaries }),
  },
  {
    id: 'histories/close-refusals',
    title: `${HISTORIES * STEPS} random operations on ranges that meet again, while the kernel refuses some calls`,
    show: refused,
  },
  {
    id: 'histories/close-huge-pages',
    title: `${HISTORIES * STEPS} random operations within a few huge pages leave what was given back away`,
    show: inHugePages,
  },
]

// Random histories: hundreds of right and wrong operations, compared with a shadow and with the kernel. Every message
// has the seed, which replays the history.
import type { RegionState } from '@memlayer/core'
import { fill, withBytes } from '../bytes.js'
import { claim, outcomeOf, rangeText, same, thrownBy, ConformanceError } from '../claim.js'
import { notRun, type Definition, type World } from '../definition.js'
import { errnosOf, NO_KERNEL } from '../errnos.js'
import { random, type Random } from '../random.js'
import type { Stage } from '../stage.js'
import { claimKernelAgrees } from './account.js'
import { Shadow } from './shadow.js'
import { keepsReady } from './transitions.js'
import { refusedAtRandom } from './with-refusals.js'

/** Operations of a history. */
const STEPS = 800
/** Operations from one check to the next. */
const BETWEEN_CHECKS = 25
/** Ranges that a history owns at once. */
const placesMax = 12

interface Place {
  readonly page: number
  readonly n: number
}

/** One history on one stage. */
class History {
  readonly #stage: Stage
  readonly #random: Random
  readonly #shadow = new Shadow()
  readonly #places: Place[] = []
  /** Whether to try wrong operations. Only a ledger refuses them. */
  readonly #isBold: boolean
  readonly #keepsReady: boolean
  /** The number of operations that succeeded. */
  done = 0
  /** Whether the kernel refuses calls at random. */
  mayFail = false

  constructor(stage: Stage, numbers: Random, isBold: boolean, keeps: boolean) {
    this.#keepsReady = keeps
    this.#stage = stage
    this.#random = numbers
    this.#isBold = isBold
  }

  step(): void {
    const { below, pick } = this.#random
    if (this.#places.length === 0 || (below(8) === 0 && this.#places.length < placesMax)) return this.#obtain()
    if (below(14) === 0) return this.#freeWhole()
    const { memory, pageSize } = this.#stage
    const place = pick(this.#places)
    const page = place.page + below(place.n)
    const n = 1 + below(place.page + place.n - page)
    const [v, bytes] = [page * pageSize, n * pageSize]
    const { freesParts } = memory.os.traits
    switch (below(freesParts ? 7 : 6)) {
      case 0:
        return this.#try(page, n, ['Reserved'], 'Prepared', () => memory.sysMap(v, bytes, null))
      case 1:
      case 2:
        return this.#try(page, n, ['Prepared', 'Ready'], 'Ready', () => memory.sysUsed(v, bytes))
      case 3:
        return this.#try(page, n, ['Ready'], 'Prepared', () => memory.sysUnused(v, bytes))
      case 4:
        return this.#write(page, n)
      case 5:
        if (below(3) > 0)
          return this.#try(page, n, ['Reserved', 'Prepared', 'Ready'], null, () => memory.sysHugePage(v, bytes))
        return this.#try(page, n, ['Prepared', 'Ready'], 'Reserved', () => memory.sysFault(v, bytes))
      default:
        return this.#try(page, n, ['Reserved', 'Prepared', 'Ready'], 'None', () => memory.sysFree(v, bytes, null))
    }
  }

  #obtain(): void {
    const { memory, unit, pageSize } = this.#stage
    const size = (1 + this.#random.below(24)) * unit
    const kind = this.#random.below(4)
    let range = { address: 0, size }
    const error = thrownBy(() => {
      if (kind === 0) range = memory.sysReserveAligned(null, size, 8 * unit)
      else range = { address: kind === 1 ? memory.sysAlloc(size, null) : memory.sysReserve(null, size), size }
    })
    if (error !== null) {
      this.#mayFail(error, ['OutOfMemoryError', 'FatalError'])
      return this.#adopt()
    }
    this.done += 1
    const place = { page: range.address / pageSize, n: range.size / pageSize }
    const other = this.#places.find(
      ({ page, n }) => place.page < page + n && page < place.page + place.n && !this.#isFree(page, n, place),
    )
    claim(other === undefined, `${rangeText(range.address, range.size)} was handed out, but it is partly owned`)
    this.#places.push(place)
    this.#shadow.enter(place.page, place.n, kind === 1 ? 'Ready' : 'Reserved')
  }

  /** Takes over the ends of an aligned reservation that the kernel refused to take back. Core still owns them. */
  #adopt(): void {
    const { memory, pageSize } = this.#stage
    for (const { address, size, state } of memory.ranges()) {
      // They may have merged with a range that is known already.
      for (let page = address / pageSize; state === 'Reserved' && page < (address + size) / pageSize; page++) {
        let n = 0
        while (page + n < (address + size) / pageSize && this.#shadow.at(page + n) === undefined) n += 1
        if (n === 0) continue
        this.#places.push({ page, n })
        this.#shadow.enter(page, n, state)
        page += n
      }
    }
  }

  /** Whether the part of [page, page+n) that `place` covers was freed before. */
  #isFree(page: number, n: number, place: Place): boolean {
    const from = Math.max(page, place.page)
    return this.#shadow.all(from, Math.min(page + n, place.page + place.n) - from, ['None'])
  }

  #freeWhole(): void {
    const { memory, pageSize } = this.#stage
    const [place] = this.#places.splice(this.#random.below(this.#places.length), 1) as [Place]
    for (let at = 0; at < place.n; at++) {
      if (this.#shadow.at(place.page + at) === undefined) continue
      let n = 1
      while (at + n < place.n && this.#shadow.at(place.page + at + n) !== undefined) n += 1
      const error = thrownBy(() => memory.sysFree((place.page + at) * pageSize, n * pageSize, null))
      if (error !== null) {
        this.#places.push(place)
        return this.#failed(place.page + at, n, error)
      }
      this.#shadow.free(place.page + at, n)
      this.done += 1
    }
  }

  /** Frees the rest, for a memory without a ledger. */
  freeAll(): void {
    while (this.#places.length > 0) this.#freeWhole()
  }

  /** Tries an operation that is legal from `from`. An illegal operation must be refused before any effect. */
  #try(page: number, n: number, from: readonly RegionState[], to: RegionState | null, op: () => void): void {
    const isLegal = this.#shadow.all(page, n, from)
    if (!isLegal && !this.#isBold) return
    const error = thrownBy(op)
    if (!isLegal) return same(outcomeOf(error), 'UsageError', `an operation on pages of ${this.#statesOf(page, n)}`)
    if (error !== null) return this.#failed(page, n, error)
    this.done += 1
    if (to === 'None') return this.#shadow.free(page, n)
    // Go ignores a kernel that refuses to take memory back. Then the contents are still there.
    const isDropped = this.#stage.os.traits.unusedDropsContents && !this.mayFail
    if (to === 'Prepared' && from[0] === 'Ready') this.#shadow.forfeit(page, n, isDropped)
    // A backend that maps a whole mix again also maps the Ready part again.
    if (to === 'Ready' && !this.#keepsReady) this.#shadow.forfeit(page, n, false)
    if (to === 'Reserved') this.#shadow.forfeit(page, n, false)
    if (to !== null) this.#shadow.move(page, n, to)
  }

  #write(page: number, n: number): void {
    if (!this.#shadow.all(page, n, ['Ready'])) return
    const byte = 1 + this.#random.below(255)
    fill(this.#stage.os, page * this.#stage.pageSize, n * this.#stage.pageSize, byte)
    this.#shadow.write(page, n, byte)
    this.done += 1
  }

  /** Records a refused operation. Only the range of the operation may have lost its contents. */
  #failed(page: number, n: number, error: unknown): void {
    this.#mayFail(error, ['OutOfMemoryError', 'FatalError'])
    this.#shadow.forfeit(page, n, false)
  }

  #mayFail(error: unknown, allowed: readonly string[]): void {
    if (this.mayFail && allowed.includes(outcomeOf(error) ?? '')) return
    throw error
  }

  #statesOf(page: number, n: number): string {
    return [...new Set(Array.from({ length: n }, (_, i) => this.#shadow.at(page + i)?.state ?? 'None'))].join(' and ')
  }

  /** Compares account, contents and kernel with the shadow. */
  check(hasLedger: boolean): void {
    const { memory, os, pageSize } = this.#stage
    const runs = this.#shadow.runs()
    if (hasLedger) {
      const account = memory
        .ranges()
        .map(({ address, size, state }) => `${address / pageSize}+${size / pageSize} ${state}`)
      same(
        merged(account),
        merged(runs.map(({ page, n, state }) => `${page}+${n} ${state}`)),
        'the ranges of the account',
      )
      claimKernelAgrees(this.#stage, 'in a history')
    }
    for (const { page, n, state } of runs) if (state === 'Ready') this.#checkBytes(os, page, n, pageSize)
  }

  #checkBytes(os: Stage['os'], first: number, count: number, pageSize: number): void {
    withBytes(os, first * pageSize, count * pageSize, (bytes) => {
      for (let i = 0; i < count; i++) {
        const { byte, old } = this.#shadow.at(first + i) as { byte: number | null; old: number }
        for (const at of [i * pageSize, (i + 1) * pageSize - 1]) {
          const found = bytes[at]
          const right = byte === null ? found === 0 || found === old : found === byte
          const where = rangeText((first + i) * pageSize, pageSize)
          claim(right, `the page at ${where} holds ${found}, expected ${byte ?? `0 or ${old}`}`)
        }
      }
    })
  }
}

/** Ranges as text. Neighbours in one state become one. */
function merged(ranges: readonly string[]): string {
  const found: { page: number; n: number; state: string }[] = []
  for (const text of ranges) {
    const [page = 0, n = 0] = (text.split(' ')[0] ?? '').split('+').map(Number)
    const state = text.split(' ')[1] ?? ''
    const last = found.at(-1)
    if (last !== undefined && last.page + last.n === page && last.state === state) last.n += n
    else found.push({ page, n, state })
  }
  return found.map(({ page, n, state }) => `${page}+${n} ${state}`).join(', ')
}

interface HistoryOptions {
  readonly ledger?: boolean
  readonly wrap?: (kernel: object) => object
  /** Called before and after the part in which the kernel may refuse calls. */
  readonly refusing?: (on: boolean) => void
}

function relate(world: World, salt: number, options: HistoryOptions): void {
  const { ledger = true, wrap, refusing } = options
  let at = 0
  try {
    world.play(
      (stage) => {
        const history = new History(stage, random(world.seed + salt), ledger, keepsReady(world))
        history.mayFail = refusing !== undefined
        while (at < STEPS) {
          refusing?.(true)
          history.step()
          refusing?.(false)
          at += 1
          if (at % BETWEEN_CHECKS === 0) history.check(ledger)
        }
        claim(history.done > STEPS / 8, `only ${history.done} of ${STEPS} operations succeeded`)
        if (ledger) return
        history.freeAll()
      },
      { ledger, ...(wrap === undefined ? {} : { wrap }) },
    )
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error)
    throw new ConformanceError(`step ${at}: ${words}. The seed ${world.seed} replays this history`, { cause: error })
  }
}

export const historyCases: readonly Definition[] = [
  {
    id: 'histories/ledger',
    title: `${STEPS} random operations agree with a shadow and with the kernel, page by page`,
    show: (world) => void relate(world, 0, {}),
  },
  {
    id: 'histories/no-ledger',
    title: `${STEPS} random operations without a ledger leave the contents that the shadow has`,
    show: (world) => void relate(world, 1, { ledger: false }),
  },
  {
    id: 'histories/refusals',
    title: `${STEPS} random operations agree with a shadow while the kernel refuses one call in ten`,
    show: (world) => {
      const errnos = errnosOf(world.subject)
      if (errnos === null) return notRun(NO_KERNEL)
      relate(world, 3, refusedAtRandom(random(world.seed + 2), errnos))
      return undefined
    },
  },
]

// One history: a memory, its shadow, and the next random operation on both.
import { UsageError, type Memory, type RegionState } from '@memlayer/core'
import type { Random } from '@memlayer/witness'
import { Shadow } from './shadow.js'

/** How a history goes. */
export interface HistoryOptions {
  /** Its memory, with a ledger. */
  readonly memory: Memory
  /** Where its choices come from. */
  readonly random: Random
  /** About how many pages it may own. Default 3000: enough for fragmentation, few enough to compare often. */
  readonly pages?: number
}

interface Place {
  readonly page: number
  readonly n: number
}

type Operation = (page: number, n: number) => void

/** A memory and its shadow, one operation after the other. */
export class History {
  /** The memory that the operations are done on. */
  readonly memory: Memory
  /** What it is meant to be. */
  readonly shadow: Shadow = new Shadow()
  /** Bytes in a page. */
  readonly size: number
  /** Operations that were refused as they had to be, by their code. */
  readonly refused: Map<string, number> = new Map()
  /** Operations that were done. */
  done = 0
  readonly #random: Random
  readonly #most: number
  readonly #places: Place[] = []
  #pages = 0
  #word = 0
  readonly #map: Operation = (page, n) => this.#doMap(page, n)
  readonly #used: Operation = (page, n) => this.#doUsed(page, n)
  readonly #unused: Operation = (page, n) => this.#doUnused(page, n)
  readonly #unusedAll: Operation = (page, n) => this.#doUnusedAll(page, n)
  readonly #hugePage: Operation = (page, n) => this.#doHugePage(page, n)
  readonly #fault: Operation = (page, n) => this.#doFault(page, n)
  readonly #free: Operation = (page, n) => this.#doFree(page, n)
  readonly #write: Operation = (page) => this.#doWrite(page)
  readonly #any: readonly Operation[] = [
    this.#map,
    this.#used,
    this.#unused,
    this.#unusedAll,
    this.#hugePage,
    this.#fault,
    this.#free,
    this.#write,
  ]
  // What is legal for a page in a state, the frequent ones more than once.
  readonly #legal: Readonly<Record<RegionState, readonly Operation[]>> = {
    None: this.#any,
    Reserved: [this.#map, this.#map, this.#map, this.#hugePage, this.#free],
    Prepared: [this.#used, this.#used, this.#used, this.#hugePage, this.#fault, this.#free],
    Ready: [
      this.#unused,
      this.#unused,
      this.#unusedAll,
      this.#used,
      this.#hugePage,
      this.#fault,
      this.#free,
      this.#write,
      this.#write,
      this.#write,
    ],
  }

  constructor({ memory, random, pages = 3000 }: HistoryOptions) {
    this.memory = memory
    this.size = memory.os.traits.pageSize
    this.#random = random
    this.#most = pages
  }

  /** Does one operation: mostly a legal one on a run of pages in one state, now and then any, anywhere. */
  step(): void {
    const r = this.#random
    if (this.#places.length === 0 || (this.#pages < this.#most && r.below(40) === 0)) return this.#obtain()
    const isWild = r.below(10) === 0
    const at = r.below(this.#places.length)
    const place = this.#places[at] as Place
    const page = isWild ? place.page + r.below(place.n) : this.#ownedIn(place)
    // A place that has been freed all over is not looked at again.
    if (page === -1) return void this.#places.splice(at, 1)
    const n = isWild ? 1 + r.below(place.n) : this.#run(page, 1 + r.below(r.below(20) === 0 ? 64 : 8))
    r.pick(isWild ? this.#any : this.#legal[this.shadow.at(page).state])(page, n)
  }

  /** Frees all that is left. */
  end(): void {
    for (const { address, size } of this.memory.ranges()) this.memory.sysFree(address, size, null)
  }

  /** Up to `n` pages from `page` on that are in one state. */
  #run(page: number, n: number): number {
    const { state } = this.shadow.at(page)
    let run = 1
    while (run < n && this.shadow.at(page + run).state === state) run += 1
    return run
  }

  /** An owned page of a place, the first from a random one on; -1: there is none. */
  #ownedIn(place: Place): number {
    const from = this.#random.below(place.n)
    for (let i = 0; i < place.n; i++) {
      const page = place.page + ((from + i) % place.n)
      if (this.shadow.at(page).state !== 'None') return page
    }
    return -1
  }

  /** Runs it where the shadow says that it is legal, and sees it refused where it is not. */
  #expect(legal: boolean, run: () => void): boolean {
    try {
      run()
    } catch (error) {
      if (legal || !(error instanceof UsageError)) throw error
      this.refused.set(error.code, (this.refused.get(error.code) ?? 0) + 1)
      return false
    }
    if (!legal) throw new Error('an operation was done that had to be refused')
    this.done += 1
    return true
  }

  #obtain(): void {
    const r = this.#random
    const n = 1 + r.below(200)
    const category = r.pick([null, 'a', 'b'])
    const stat = category === null ? null : this.memory.stat(category)
    const isReserved = r.below(3) > 0
    const v = isReserved ? this.memory.sysReserve(null, n * this.size) : this.memory.sysAlloc(n * this.size, stat)
    this.shadow.enter(v / this.size, n, isReserved ? 'Reserved' : 'Ready', isReserved ? null : category)
    this.#places.push({ page: v / this.size, n })
    this.#pages += n
    this.done += 1
  }

  #doMap(page: number, n: number): void {
    const category = this.#random.pick([null, 'a', 'b'])
    const stat = category === null ? null : this.memory.stat(category)
    const legal = this.shadow.all(page, n, ['Reserved'])
    if (!this.#expect(legal, () => this.memory.sysMap(page * this.size, n * this.size, stat))) return
    this.shadow.map(page, n, category, this.memory.os.traits.reservedTraps ? 0 : undefined)
  }

  #doUsed(page: number, n: number): void {
    const legal = this.shadow.all(page, n, ['Prepared', 'Ready'])
    if (this.#expect(legal, () => this.memory.sysUsed(page * this.size, n * this.size)))
      this.shadow.move(page, n, 'Ready')
  }

  #doUnused(page: number, n: number): void {
    const legal = this.shadow.all(page, n, ['Ready'])
    if (this.#expect(legal, () => this.memory.sysUnused(page * this.size, n * this.size))) this.#forfeit(page, n)
  }

  #doUnusedAll(page: number, n: number): void {
    const next = page + n + this.#random.below(4)
    const m = 1 + this.#random.below(4)
    const legal = this.shadow.all(page, n, ['Ready']) && this.shadow.all(next, m, ['Ready'])
    if (!this.#expect(legal, () => this.memory.sysUnusedAll([page, n, next, m].map((value) => value * this.size))))
      return
    this.#forfeit(page, n)
    this.#forfeit(next, m)
  }

  #forfeit(page: number, n: number): void {
    this.shadow.move(page, n, 'Prepared', this.memory.os.traits.unusedDropsContents ? 0 : null)
  }

  #doHugePage(page: number, n: number): void {
    const legal = this.shadow.all(page, n, ['Reserved', 'Prepared', 'Ready'])
    this.#expect(legal, () => this.memory.sysHugePage(page * this.size, n * this.size))
  }

  #doFault(page: number, n: number): void {
    const legal = this.shadow.all(page, n, ['Prepared', 'Ready'])
    if (!this.#expect(legal, () => this.memory.sysFault(page * this.size, n * this.size))) return
    this.shadow.move(page, n, 'Reserved', this.memory.os.traits.faultTraps ? 0 : null)
  }

  #doFree(page: number, n: number): void {
    const legal = this.shadow.all(page, n, ['Reserved', 'Prepared', 'Ready'])
    if (!this.#expect(legal, () => this.memory.sysFree(page * this.size, n * this.size, null))) return
    this.shadow.free(page, n)
    this.#pages -= n
  }

  #doWrite(page: number): void {
    const legal = this.shadow.all(page, 1, ['Ready'])
    const word = (this.#word = (this.#word % 0x7fffffff) + 1)
    const write = (): void => {
      const words = this.memory.view(Uint32Array, page * this.size, this.size / 4)
      words[0] = words[words.length - 1] = word
    }
    if (!this.#expect(legal, write)) return
    this.shadow.write(page, word)
  }

  /** The first difference between the memory and its shadow, as a sentence; null: none. */
  disagreement(): string | null {
    this.memory.check()
    return this.#ofRanges() ?? this.#ofTotals() ?? this.#ofContents()
  }

  #ofRanges(): string | null {
    const is = this.memory.ranges()
    const meant = this.shadow.runs()
    for (let i = 0; i < Math.max(is.length, meant.length); i++) {
      const range = is[i]
      const run = meant[i]
      const said =
        range && JSON.stringify([range.address / this.size, range.size / this.size, range.state, range.category])
      const wanted = run && JSON.stringify([run.page, run.n, run.state, run.category])
      if (said !== wanted) return `range ${i} is ${said}, and meant to be ${wanted} (page, pages, state, category)`
    }
    return null
  }

  #ofTotals(): string | null {
    const { categories, uncategorized } = this.memory.stats()
    for (const [key, state] of [
      ['reserved', 'Reserved'],
      ['prepared', 'Prepared'],
      ['ready', 'Ready'],
    ] as const) {
      for (const name of ['a', 'b', null]) {
        const said = (name === null ? uncategorized : categories[name])?.[key] ?? 0
        const wanted = this.size * this.shadow.count(state, name)
        if (said !== wanted) return `'${name ?? 'none'}' counts ${said} bytes ${state}, and is meant to count ${wanted}`
      }
    }
    return null
  }

  #ofContents(): string | null {
    for (const { page, n, state } of this.shadow.runs()) {
      if (state !== 'Ready') continue
      const words = this.memory.view(Uint32Array, page * this.size, (n * this.size) / 4)
      for (let i = 0; i < n; i++) {
        const { word } = this.shadow.at(page + i)
        if (word === null) continue
        const [first, last] = [words[(i * this.size) / 4], words[((i + 1) * this.size) / 4 - 1]]
        if (first !== word || last !== word)
          return `page ${page + i} begins with ${first} and ends with ${last}, and is meant to with ${word}`
      }
    }
    return null
  }
}

// A history does random operations on a memory and on its shadow, and compares the two.
import { UsageError, type Memory, type RegionState } from '@memlayer/core'
import type { Random } from '@memlayer/witness'
import { Shadow } from './shadow.js'

/** The options of a history. */
export interface HistoryOptions {
  /** The memory. It must have a ledger. */
  readonly memory: Memory
  /** The source of all random choices. */
  readonly random: Random
  /** The number of pages it may own, about. Default is 3000: this fragments memory, and a comparison stays fast. */
  readonly pages?: number
}

interface Place {
  readonly page: number
  readonly n: number
}

type Operation = (page: number, n: number) => void

/** Does one operation after the other on a memory and its shadow. */
export class History {
  /** The memory under test. */
  readonly memory: Memory
  /** The expected state of the memory. */
  readonly shadow: Shadow = new Shadow()
  /** Bytes in a page. */
  readonly size: number
  /** The number of operations that the memory rightly refused, by error code. */
  readonly refused: Map<string, number> = new Map()
  /** The number of operations that were done. */
  done = 0
  readonly #random: Random
  readonly #pagesMax: number
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
  // The legal operations on a page, by its state. A frequent operation is in the list more than once.
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
    this.#pagesMax = pages
  }

  /** Does one operation. Mostly it is legal, on pages in one state. One in ten is any operation on any pages. */
  step(): void {
    const r = this.#random
    if (this.#places.length === 0 || (this.#pages < this.#pagesMax && r.below(40) === 0)) return this.#obtain()
    const isWild = r.below(10) === 0
    const at = r.below(this.#places.length)
    const place = this.#places[at] as Place
    const page = isWild ? place.page + r.below(place.n) : this.#ownedIn(place)
    // All pages of this place are free, so forget it.
    if (page === -1) return void this.#places.splice(at, 1)
    const n = isWild ? 1 + r.below(place.n) : this.#run(page, 1 + r.below(r.below(20) === 0 ? 64 : 8))
    r.pick(isWild ? this.#any : this.#legal[this.shadow.at(page).state])(page, n)
  }

  /** Frees all remaining ranges. */
  end(): void {
    for (const { address, size } of this.memory.ranges()) this.memory.sysFree(address, size, null)
  }

  /** Returns how many pages from `page` are in the same state, `n` at most. */
  #run(page: number, n: number): number {
    const { state } = this.shadow.at(page)
    let run = 1
    while (run < n && this.shadow.at(page + run).state === state) run += 1
    return run
  }

  /** Returns an owned page of a place, searching from a random page on. Returns -1 if the place has no owned page. */
  #ownedIn(place: Place): number {
    const from = this.#random.below(place.n)
    for (let i = 0; i < place.n; i++) {
      const page = place.page + ((from + i) % place.n)
      if (this.shadow.at(page).state !== 'None') return page
    }
    return -1
  }

  /** Runs an operation. If the shadow says that it is illegal, the memory must refuse it. */
  #expect(legal: boolean, run: () => void): boolean {
    try {
      run()
    } catch (error) {
      if (legal || !(error instanceof UsageError)) throw error
      this.refused.set(error.code, (this.refused.get(error.code) ?? 0) + 1)
      return false
    }
    if (!legal) throw new Error('the memory did an operation that the shadow says is illegal')
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

  /** Returns the first difference between the memory and its shadow as a sentence, or null if they agree. */
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
      if (said !== wanted) return `range ${i} is ${said}, but should be ${wanted} (page, pages, state, category)`
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
        if (said !== wanted)
          return `the category '${name ?? 'none'}' counts ${said} bytes ${state}, but should count ${wanted}`
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
          return `page ${page + i} starts with ${first} and ends with ${last}, but both should be ${word}`
      }
    }
    return null
  }
}

// A second, very simple implementation of core's account: one entry for each page, and every sum computed again. It
// decides how a call must end, and the tests tell it each finished call.
import type { ErrorCode, MemoryStats, OwnedRange, RegionState, SysMemStat, Traits } from '@memlayer/core'

type Owned = Exclude<RegionState, 'None'>

interface ShadowPage {
  readonly state: Owned
  /** The name of the category that counts it. */
  readonly category: string | null
  readonly reservation: number
}

/** A call of a test. Its arguments may be any values. */
export type Call =
  | { readonly op: 'sysAlloc'; readonly n: unknown; readonly stat: unknown }
  | { readonly op: 'sysUnused' | 'sysUsed' | 'sysHugePage' | 'sysFault'; readonly v: unknown; readonly n: unknown }
  | { readonly op: 'sysFree' | 'sysMap'; readonly v: unknown; readonly n: unknown; readonly stat: unknown }
  | { readonly op: 'sysReserve'; readonly v: unknown; readonly n: unknown }
  | { readonly op: 'sysReserveAligned'; readonly v: unknown; readonly n: unknown; readonly align: unknown }

const from: Record<string, readonly Owned[]> = {
  sysUnused: ['Ready'],
  sysUsed: ['Prepared', 'Ready'],
  sysHugePage: ['Reserved', 'Prepared', 'Ready'],
  sysFree: ['Reserved', 'Prepared', 'Ready'],
  sysFault: ['Prepared', 'Ready'],
  sysMap: ['Reserved'],
}

export class Shadow {
  /** The pages by number. A missing page is None. */
  readonly pages = new Map<number, ShadowPage>()
  readonly #traits: Traits
  readonly #stats: ReadonlyMap<unknown, string>
  readonly #peaks = new Map<string | null, number>()
  #peak = 0
  readonly #calls = new Map<string | null, number>()
  readonly #refusals = new Map<string | null, number>()
  #reservations = 0

  constructor(traits: Traits, stats: readonly SysMemStat[]) {
    this.#traits = traits
    this.#stats = new Map(stats.map((stat) => [stat, stat.name]))
  }

  /** Returns the codes of UsageErrors, one of which the call must throw. For a legal call the list is empty. */
  wrongs(call: Call): ErrorCode[] {
    const { pageSize } = this.#traits
    const { op, n } = call
    const mayBeEmpty = ['sysUnused', 'sysUsed', 'sysHugePage', 'sysFault'].includes(op)
    const wrongs: ErrorCode[] = []
    const isSize = typeof n === 'number' && Number.isSafeInteger(n) && n >= 0 && (n > 0 || mayBeEmpty)
    if (!isSize) wrongs.push('ERR_MEMLAYER_SIZE')
    else if (n % pageSize !== 0) wrongs.push('ERR_MEMLAYER_ALIGNMENT')

    let room = isSize ? n : 0
    if (call.op === 'sysReserveAligned') {
      const { align } = call
      const isAlignment =
        typeof align === 'number' &&
        Number.isSafeInteger(align) &&
        align > 0 &&
        (BigInt(align) & (BigInt(align) - 1n)) === 0n
      if (!isAlignment) wrongs.push('ERR_MEMLAYER_ALIGNMENT')
      else {
        room += Math.max(align, pageSize)
        if (isSize && room >= 2 ** 53) wrongs.push('ERR_MEMLAYER_SIZE')
      }
    }
    if ('v' in call && !(call.v === null && (op === 'sysReserve' || op === 'sysReserveAligned'))) {
      const { v } = call
      const isAddress = typeof v === 'number' && Number.isInteger(v) && v >= 0 && v + room <= 2 ** 64
      if (!isAddress) wrongs.push('ERR_MEMLAYER_ADDRESS')
      else if (v % pageSize !== 0) wrongs.push('ERR_MEMLAYER_ALIGNMENT')
    }
    if ('stat' in call && call.stat !== null && !this.#stats.has(call.stat)) wrongs.push('ERR_MEMLAYER_STAT')
    return wrongs.length > 0 ? wrongs : this.#wrongStates(call)
  }

  #wrongStates(call: Call): ErrorCode[] {
    const allowed = from[call.op]
    if (allowed === undefined) return []
    const { v, n } = call as { readonly v: number; readonly n: number }
    const pages: ShadowPage[] = []
    // The loop stops at the first wrong page, because a size may be huge.
    for (let at = v; at < v + n; at += this.#traits.pageSize) {
      const page = this.pages.get(at / this.#traits.pageSize)
      if (page === undefined) return ['ERR_MEMLAYER_NOT_OWNED']
      if (!allowed.includes(page.state)) return ['ERR_MEMLAYER_STATE']
      pages.push(page)
    }
    if (call.op !== 'sysFree') return []

    const wrongs: ErrorCode[] = []
    const reservations = new Set(pages.map(({ reservation }) => reservation))
    const whole = [...this.pages.values()].filter(({ reservation }) => reservations.has(reservation)).length
    if (!this.#traits.freesParts && (reservations.size !== 1 || whole !== pages.length)) {
      wrongs.push('ERR_MEMLAYER_RESERVATION')
    }
    const name = this.#nameOf(call)
    if (name !== null && pages.some(({ category }) => category !== null && category !== name)) {
      wrongs.push('ERR_MEMLAYER_STAT')
    }
    return wrongs
  }

  /** Whether a legal call would make its category's count too large. */
  overflows(call: Call): boolean {
    const name = this.#nameOf(call)
    if (name === null || (call.op !== 'sysAlloc' && call.op !== 'sysMap')) return false
    return this.#bytes(undefined, name) + (call.n as number) > Number.MAX_SAFE_INTEGER
  }

  /** Records a finished legal call. `address` and `size` are the range that it obtained. */
  done(call: Call, address: number, size: number): void {
    const { pageSize } = this.#traits
    const category = this.#category(call)
    if (from[call.op] === undefined) {
      const reservation = ++this.#reservations
      const state = call.op === 'sysAlloc' ? 'Ready' : 'Reserved'
      for (let i = 0; i < size / pageSize; i++) {
        const number = address / pageSize + i
        if (this.pages.has(number)) throw new Error(`page ${number} was obtained, but it is owned already`)
        this.pages.set(number, { state, category: this.#nameOf(call), reservation })
      }
    }
    for (const number of this.#numbers(call)) {
      const page = this.pages.get(number)
      if (page === undefined || from[call.op] === undefined) continue
      if (call.op === 'sysFree') this.pages.delete(number)
      if (call.op === 'sysUnused') this.pages.set(number, { ...page, state: 'Prepared' })
      if (call.op === 'sysUsed') this.pages.set(number, { ...page, state: 'Ready' })
      if (call.op === 'sysFault') this.pages.set(number, { ...page, state: 'Reserved' })
      if (call.op === 'sysMap') this.pages.set(number, { ...page, state: 'Prepared', category: this.#nameOf(call) })
    }
    this.#count(this.#calls, category)
    for (const name of [null, ...this.#stats.values()]) {
      this.#peaks.set(name, Math.max(this.#peaks.get(name) ?? 0, this.#bytes('Ready', name)))
    }
    this.#peak = Math.max(this.#peak, this.#bytes('Ready'))
  }

  /** Records a legal call that reached the kernel and failed. */
  failed(call: Call, refused: boolean): void {
    this.#count(this.#calls, this.#category(call))
    if (refused) this.#count(this.#refusals, this.#category(call))
  }

  /** Adds pages that a failed sysReserveAligned could not give back. The memory owns them, so they are not lost. */
  adopt(pages: ReadonlyMap<number, { readonly state: string }>): void {
    const reservation = ++this.#reservations
    for (const [number, { state }] of pages) {
      if (state === 'Reserved' && !this.pages.has(number))
        this.pages.set(number, { state, category: null, reservation })
    }
  }

  stats(): MemoryStats {
    const counts = (name: string | null): MemoryStats['total'] => ({
      reserved: this.#bytes('Reserved', name),
      prepared: this.#bytes('Prepared', name),
      ready: this.#bytes('Ready', name),
      held: name === null ? 0 : this.#bytes(undefined, name),
      peak: this.#peaks.get(name) ?? 0,
      calls: this.#calls.get(name) ?? 0,
      refusals: this.#refusals.get(name) ?? 0,
    })
    const sum = (map: ReadonlyMap<unknown, number>): number => [...map.values()].reduce((a, b) => a + b, 0)
    return {
      total: {
        reserved: this.#bytes('Reserved'),
        prepared: this.#bytes('Prepared'),
        ready: this.#bytes('Ready'),
        held: [...this.#stats.values()].reduce((total, name) => total + this.#bytes(undefined, name), 0),
        peak: this.#peak,
        calls: sum(this.#calls),
        refusals: sum(this.#refusals),
      },
      uncategorized: counts(null),
      categories: Object.fromEntries([...this.#stats.values()].map((name) => [name, counts(name)])),
      // These pages have no way to retire addresses.
      retired: 0,
      kept: 0,
      retained: 0,
    }
  }

  /** Returns the owned pages, with equal neighbours joined to one range. */
  ranges(): OwnedRange[] {
    const { pageSize } = this.#traits
    const ranges: { address: number; size: number; state: Owned; category: string | null }[] = []
    for (const number of [...this.pages.keys()].sort((a, b) => a - b)) {
      const { state, category } = this.pages.get(number) as ShadowPage
      const last = ranges.at(-1)
      const address = number * pageSize
      if (
        last !== undefined &&
        last.address + last.size === address &&
        last.state === state &&
        last.category === category
      ) {
        last.size += pageSize
      } else ranges.push({ address, size: pageSize, state, category })
    }
    return ranges
  }

  #numbers(call: Call): number[] {
    const { pageSize } = this.#traits
    if (!('v' in call) || call.v === null) return []
    return Array.from({ length: (call.n as number) / pageSize }, (_, i) => (call.v as number) / pageSize + i)
  }

  /** Returns the category that counts a call: the call's own, or the category of its first page. */
  #category(call: Call): string | null {
    if (call.op === 'sysAlloc' || call.op === 'sysMap') return this.#nameOf(call)
    if (from[call.op] === undefined) return null
    return this.pages.get((call as { v: number }).v / this.#traits.pageSize)?.category ?? null
  }

  #nameOf(call: Call): string | null {
    return 'stat' in call ? (this.#stats.get(call.stat) ?? null) : null
  }

  #bytes(state?: Owned, category?: string | null): number {
    const pages = [...this.pages.values()].filter(
      (page) => (state === undefined || page.state === state) && (category === undefined || page.category === category),
    )
    return pages.length * this.#traits.pageSize
  }

  #count(map: Map<string | null, number>, category: string | null): void {
    map.set(category, (map.get(category) ?? 0) + 1)
  }
}

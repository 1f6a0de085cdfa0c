// An operating system for core's tests. It is a plain map from pages to states. For each page it checks that core
// calls a backend correctly. It refuses or breaks only when a test tells it to.
import { alignUp, type Address, type FatalError, type OS, type Refusal, type Traits } from '@memlayer/core'

/** The functions of a backend that core calls. */
export type OSFunction =
  | 'sysAllocOS'
  | 'sysUnusedOS'
  | 'sysUsedOS'
  | 'sysHugePageOS'
  | 'sysFreeOS'
  | 'sysFaultOS'
  | 'sysReserveOS'
  | 'sysMapOS'

/** How a call must end: refused with the kernel's reason, refused without a reason, or broken. */
export type Fate = Refusal | 'silent' | FatalError | undefined

/** One page that is not free. */
export interface Page {
  state: 'Reserved' | 'Prepared' | 'Ready' | 'Foreign'
  /** The number of the page's reservation. */
  readonly reservation: number
}

export interface PageOSOptions {
  readonly traits?: Partial<Traits>
  /** The number of pages of address space, starting at `base`. */
  readonly pages?: number
  readonly base?: Address
  /** Runs before the k-th call (from 1) and decides how it ends. */
  readonly fate?: (fn: OSFunction, k: number, os: PageOS) => Fate
}

export const ENOMEM: Refusal = Object.freeze({
  syscall: 'mmap',
  errno: 12,
  errnoName: 'ENOMEM',
  hint: 'Buy memory.',
})
export const EINVAL: Refusal = Object.freeze({
  syscall: 'munmap',
  errno: 22,
  errnoName: 'EINVAL',
  hint: 'Ask anew.',
})

/** Core made a wrong call. This is not a MemlayerError, so that a test can't confuse them. */
export class Breach extends Error {}

export class PageOS implements OS {
  readonly name = 'pages'
  readonly traits: Traits
  refusal: Refusal | null = null
  /** The pages that are not free, by number: address / pageSize. */
  readonly pages = new Map<number, Page>()
  /** Every call so far: `sysFreeOS(0x1000, 4096)`. */
  readonly calls: string[] = []
  fate: PageOSOptions['fate']
  /** The host's facts, if a test limits the process's mappings. */
  host?: NonNullable<OS['host']>
  readonly #first: number
  readonly #last: number
  #reservations = 0

  constructor({ traits = {}, pages = 256, base = 0x10000, fate }: PageOSOptions = {}) {
    this.traits = Object.freeze({
      pageSize: 4096,
      hugePageSize: 0,
      granularity: traits.pageSize ?? 4096,
      freesParts: true,
      hints: true,
      reservedTraps: true,
      unusedTraps: false,
      faultTraps: true,
      threadsShare: true,
      unusedReturnsMemory: true,
      unusedDropsContents: true,
      ...traits,
    })
    this.fate = fate
    this.#first = base / this.traits.pageSize
    this.#last = this.#first + pages
  }

  sysAllocOS(n: number): Address | null {
    this.#owes(n > 0, 'a size')
    return this.#called('sysAllocOS', [n]) ? this.#obtain(this.#place(n, null), n, 'Ready') : null
  }

  sysUnusedOS(v: Address, n: number): void {
    this.#move('sysUnusedOS', v, n, ['Ready'], 'Prepared')
  }

  sysUsedOS(v: Address, n: number): void {
    this.#move('sysUsedOS', v, n, ['Prepared', 'Ready'], 'Ready')
  }

  sysHugePageOS(v: Address, n: number): void {
    this.#move('sysHugePageOS', v, n, ['Reserved', 'Prepared', 'Ready'], null)
  }

  sysFreeOS(v: Address, n: number): void {
    const pages = this.#range(v, n, ['Reserved', 'Prepared', 'Ready'])
    if (!this.traits.freesParts) {
      const whole = new Set(pages.map(({ reservation }) => reservation))
      this.#owes(whole.size === 1, 'one reservation')
      const size = [...this.pages.values()].filter(({ reservation }) => whole.has(reservation)).length
      this.#owes(size === pages.length, 'a whole reservation')
    }
    if (!this.#called('sysFreeOS', [v, n])) return
    for (const number of this.#numbers(v, n)) this.pages.delete(number)
  }

  sysFaultOS(v: Address, n: number): void {
    this.#move('sysFaultOS', v, n, ['Prepared', 'Ready'], 'Reserved')
  }

  sysReserveOS(v: Address | null, n: number): Address | null {
    this.#owes(n > 0, 'a size')
    return this.#called('sysReserveOS', [v, n]) ? this.#obtain(this.#place(n, v), n, 'Reserved') : null
  }

  sysMapOS(v: Address, n: number): void {
    this.#move('sysMapOS', v, n, ['Reserved'], 'Prepared')
  }

  /** Returns new bytes that belong to no page. The tests check how core handles a view, not its contents. */
  view(v: Address, n: number): ArrayBuffer {
    this.#range(v, alignUp(n, this.traits.pageSize), ['Ready'])
    return new ArrayBuffer(n)
  }

  /** Marks pages as mapped by another part of the process, so that core can't get them. */
  occupy(v: Address, n: number): void {
    for (const number of this.#numbers(v, n)) this.pages.set(number, { state: 'Foreign', reservation: -1 })
  }

  /** Frees pages. */
  vacate(v: Address, n: number): void {
    for (const number of this.#numbers(v, n)) this.pages.delete(number)
  }

  #move(fn: OSFunction, v: Address, n: number, from: readonly Page['state'][], to: Page['state'] | null): void {
    const pages = this.#range(v, n, from)
    if (!this.#called(fn, [v, n]) || to === null) return
    for (const page of pages) page.state = to
  }

  /** Records the call. Returns false if the call is refused. */
  #called(fn: OSFunction, args: readonly (number | null)[]): boolean {
    const texts = args.map((arg, i) => (i < args.length - 1 && arg !== null ? `0x${arg.toString(16)}` : String(arg)))
    this.calls.push(`${fn}(${texts.join(', ')})`)
    const fate = this.fate?.(fn, this.calls.length, this)
    if (fate === undefined) return true
    if (fate instanceof Error) throw fate
    if (fate !== 'silent') this.refusal = fate
    return false
  }

  #obtain(number: number | null, n: number, state: Page['state']): Address | null {
    const { pageSize } = this.traits
    if (number === null) {
      this.refusal = ENOMEM
      return null
    }
    const reservation = ++this.#reservations
    for (let i = 0; i < n / pageSize; i++) this.pages.set(number + i, { state, reservation })
    return number * pageSize
  }

  /** Returns the page number of the hint if it is free, or else of the first free place. */
  #place(n: number, hint: Address | null): number | null {
    const { pageSize, granularity, hints } = this.traits
    const step = granularity / pageSize
    const count = n / pageSize
    const isFree = (number: number): boolean => {
      for (let i = 0; i < count; i++) if (this.pages.has(number + i)) return false
      return true
    }
    const hinted = hint === null ? NaN : hint / pageSize
    const inside = hinted >= this.#first && hinted + count <= this.#last && hinted % step === 0
    if (hints && inside && isFree(hinted)) return hinted
    if (count > this.#last - this.#first) return null
    for (let at = Math.ceil(this.#first / step) * step; at + count <= this.#last; at += step) if (isFree(at)) return at
    return null
  }

  #range(v: Address, n: number, from: readonly Page['state'][]): Page[] {
    this.#owes(n > 0, 'a size')
    return this.#numbers(v, n).map((number) => {
      const page = this.pages.get(number)
      this.#owes(
        page !== undefined && from.includes(page.state),
        `pages that are ${from.join(' or ')}, not ${page?.state ?? 'None'}`,
      )
      return page as Page
    })
  }

  #numbers(v: Address, n: number): number[] {
    const { pageSize } = this.traits
    this.#owes(Number.isInteger(v / pageSize) && Number.isInteger(n / pageSize), 'whole pages')
    return Array.from({ length: n / pageSize }, (_, i) => v / pageSize + i)
  }

  #owes(holds: boolean, what: string): void {
    if (!holds) throw new Breach(`core owes ${what}`)
  }
}

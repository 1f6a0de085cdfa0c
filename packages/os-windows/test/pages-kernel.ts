// A Windows kernel without a machine: reservations, and which of their pages are committed. It is for tests that
// also run without Windows and Wine. windows/pages-kernel.ts compares it with kernel32.
import type { WindowsKernel } from '@memlayer/kernel'

const COMMIT = 0x1000
const RESERVE = 0x2000
const DECOMMIT = 0x4000
const RELEASE = 0x8000
const READWRITE = 4

const GRANULARITY = 65536
const BOTTOM = 2 ** 44
const ADDRESS_SPACE_BYTES = 2 ** 47

/** What VirtualQuery would tell about a byte. */
export type PagesState = 'FREE' | 'RESERVE' | 'COMMIT'

export interface PagesKernel extends WindowsKernel {
  /** Bytes of [v, v+n) in a state. */
  bytesInState(state: PagesState, v: number, n: number): number
}

/** A kernel with `commitLimit` bytes of memory. */
export function pagesKernel({ pageSize = 4096, commitLimit = 2 ** 40 } = {}): PagesKernel {
  const pages = new Pages(pageSize, commitLimit)
  return {
    pageSize,
    allocationGranularity: GRANULARITY,
    virtualAlloc(addr, size, type, protect) {
      if (size === 0 || protect !== READWRITE || ![COMMIT, RESERVE, COMMIT | RESERVE].includes(type)) return -87
      return type === COMMIT ? pages.commit(addr, size) : pages.reserve(addr, size, type !== RESERVE)
    },
    virtualFree(addr, size, type) {
      if (type === RELEASE) return size === 0 ? pages.release(addr) : -87
      return type === DECOMMIT ? pages.decommit(addr, size) : -87
    },
    view: () => {
      throw new Error('this kernel has no bytes')
    },
    limits: () => ({
      commitLimit,
      commitAvailable: commitLimit - pages.committed,
      addressSpace: ADDRESS_SPACE_BYTES,
      addressSpaceAvailable: ADDRESS_SPACE_BYTES - pages.reserved,
    }),
    bytesInState: (state, v, n) => pages.bytesInState(state, v, n),
  }
}

interface Reservation {
  readonly base: number
  readonly end: number
  /** The numbers of the committed pages. The page at the base is 0. */
  readonly committed: Set<number>
}

class Pages {
  committed = 0
  readonly #pageSize: number
  readonly #commitLimit: number
  readonly #reservations = new Map<number, Reservation>()

  constructor(pageSize: number, commitLimit: number) {
    this.#pageSize = pageSize
    this.#commitLimit = commitLimit
  }

  get reserved(): number {
    return [...this.#reservations.values()].reduce((sum, one) => sum + one.end - one.base, 0)
  }

  reserve(addr: number, size: number, commits: boolean): number {
    if (size > ADDRESS_SPACE_BYTES) return -87
    const base = addr === 0 ? this.#place(size) : Math.floor(addr / GRANULARITY) * GRANULARITY
    const end = Math.ceil((addr === 0 ? base + size : addr + size) / this.#pageSize) * this.#pageSize
    if (this.#meeting(base, end).length > 0) return -487
    if (commits && this.committed + end - base > this.#commitLimit) return -1455
    this.#reservations.set(base, { base, end, committed: new Set() })
    return commits ? this.commit(base, end - base) : base
  }

  commit(addr: number, size: number): number {
    const one = this.#holding(addr)
    if (one === undefined || addr + size > one.end) return -487
    const pages = this.#pagesOf(one, addr, size).filter((page) => !one.committed.has(page))
    if (this.committed + pages.length * this.#pageSize > this.#commitLimit) return -1455
    for (const page of pages) one.committed.add(page)
    this.committed += pages.length * this.#pageSize
    return Math.floor(addr / this.#pageSize) * this.#pageSize
  }

  decommit(addr: number, size: number): number {
    const one = this.#holding(addr)
    if (one === undefined) return -487
    if (addr + size > one.end) return -87
    for (const page of this.#pagesOf(one, addr, size)) if (one.committed.delete(page)) this.committed -= this.#pageSize
    return 0
  }

  release(addr: number): number {
    const one = this.#holding(addr)
    if (one === undefined || addr !== one.base) return -487
    this.committed -= one.committed.size * this.#pageSize
    this.#reservations.delete(one.base)
    return 0
  }

  bytesInState(state: PagesState, v: number, n: number): number {
    let bytes = 0
    for (let at = v; at < v + n; at += this.#pageSize) {
      const one = this.#holding(at)
      const page = one === undefined ? 0 : (at - one.base) / this.#pageSize
      const found = one === undefined ? 'FREE' : one.committed.has(page) ? 'COMMIT' : 'RESERVE'
      if (found === state) bytes += this.#pageSize
    }
    return bytes
  }

  #holding(v: number): Reservation | undefined {
    return this.#meeting(v, v + 1)[0]
  }

  #meeting(v: number, end: number): Reservation[] {
    return [...this.#reservations.values()].filter((one) => v < one.end && end > one.base)
  }

  /** The lowest free place, as Windows chooses it. */
  #place(n: number): number {
    for (let v = BOTTOM; ;) {
      const ends = this.#meeting(v, v + n).map((one) => one.end)
      if (ends.length === 0) return v
      v = Math.ceil(Math.max(...ends) / GRANULARITY) * GRANULARITY
    }
  }

  #pagesOf(one: Reservation, v: number, n: number): number[] {
    const first = Math.floor((v - one.base) / this.#pageSize)
    const count = Math.ceil((v + n - one.base) / this.#pageSize) - first
    return Array.from({ length: count }, (_, i) => first + i)
  }
}

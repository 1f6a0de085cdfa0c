// What VirtualAlloc and VirtualFree do on Windows: reservations are released whole, pages are committed and
// decommitted within one reservation, and committed pages are charged. Error numbers are kernel32's. Where Wine's
// differ, they are those of Windows.
import { alignDown, alignUp, errnos, type Address } from '@memlayer/kernel'
import type { Commit } from './commit.js'
import type { Mapping } from './mappings.js'
import type { Placer } from './place.js'
import type { VirtualRegion } from './simulated.js'
import type { Space } from './space.js'

const MEM_COMMIT = 0x1000
const MEM_RESERVE = 0x2000
const MEM_DECOMMIT = 0x4000
const MEM_RELEASE = 0x8000
const MEM_RESET = 0x80000
const MEM_TOP_DOWN = 0x100000
const MEM_LARGE_PAGES = 0x20000000

/** Where user space begins and ends. */
export const LOWEST = 0x10000
export const HIGHEST = 0x7fff_fffe_0000
/** Reservations begin at multiples of this. */
export const GRANULARITY = 65536

/** PAGE_*: its name, and the allowed accesses as PROT_* bits. A guard page faults. */
const protections: ReadonlyMap<number, readonly [name: string, prot: number]> = new Map([
  [0x01, ['PAGE_NOACCESS', 0]],
  [0x02, ['PAGE_READONLY', 1]],
  [0x04, ['PAGE_READWRITE', 3]],
  [0x10, ['PAGE_EXECUTE', 4]],
  [0x20, ['PAGE_EXECUTE_READ', 5]],
  [0x40, ['PAGE_EXECUTE_READWRITE', 7]],
  [0x102, ['PAGE_READONLY|PAGE_GUARD', 0]],
  [0x104, ['PAGE_READWRITE|PAGE_GUARD', 0]],
])

const {
  ERROR_INVALID_PARAMETER = 87,
  ERROR_INVALID_ADDRESS = 487,
  ERROR_NOT_ENOUGH_MEMORY = 8,
  ERROR_COMMITMENT_LIMIT = 1455,
  ERROR_PRIVILEGE_NOT_HELD = 1314,
} = errnos.windows

/** The state that the calls work on. */
export interface WindowsState {
  readonly pageSize: number
  readonly space: Space
  readonly placer: Placer
  readonly commit: Commit
}

/**
 * The calls. Each returns its value, or minus the error number. A mapping's object is its reservation. Its
 * attributes are PAGE_* where committed.
 */
export class WindowsCalls {
  readonly #pageSize: number
  readonly #space: Space
  readonly #placer: Placer
  readonly #commit: Commit
  readonly #reservations = new Map<number, { readonly base: Address; readonly end: Address }>()
  #last = 0

  constructor(state: WindowsState) {
    this.#pageSize = state.pageSize
    this.#space = state.space
    this.#placer = state.placer
    this.#commit = state.commit
  }

  /** VirtualAlloc. `at` overrides the address that the call asks for. */
  alloc([addr = 0, size = 0, type = 0, protect = 0]: number[], at: Address | undefined): number {
    const known = MEM_COMMIT | MEM_RESERVE | MEM_TOP_DOWN | MEM_LARGE_PAGES
    if (type === MEM_RESET) return this.#reset(addr, size)
    if ((type & ~known) !== 0 || (type & (MEM_COMMIT | MEM_RESERVE)) === 0) return -ERROR_INVALID_PARAMETER
    if (!protections.has(protect) || size === 0 || addr + size > HIGHEST) return -ERROR_INVALID_PARAMETER
    if ((type & MEM_LARGE_PAGES) !== 0) return -ERROR_PRIVILEGE_NOT_HELD
    // A commit at address 0 also reserves.
    const reserves = (type & MEM_RESERVE) !== 0 || addr === 0
    if (!reserves) {
      const [start, end] = this.#space.pages(addr, size)
      return this.#commitPages(start, end, protect)
    }
    let start = alignDown(addr, GRANULARITY)
    let end = alignUp(addr + size, this.#pageSize)
    if (at !== undefined || addr === 0) {
      const n = alignUp(size, this.#pageSize)
      start = at !== undefined && this.#placer.isFree(at, n) ? at : this.#placer.choose(0, n)
      if (start === -1) return -ERROR_NOT_ENOUGH_MEMORY
      end = start + n
    }
    if (!this.#placer.isFree(start, end - start)) return -ERROR_INVALID_ADDRESS
    const commits = (type & MEM_COMMIT) !== 0
    if (commits && !this.#commit.promise(end - start)) return -ERROR_COMMITMENT_LIMIT
    this.#commit.release(commits ? end - start : 0)
    this.reserve(start, end)
    return commits ? this.#commitPages(start, end, protect) : start
  }

  /** Reserves [base, end), which is free. */
  reserve(base: Address, end: Address): void {
    const object = ++this.#last
    this.#reservations.set(object, { base, end })
    this.#space.map({ start: base, end, prot: 0, attributes: 0, object, anon: 0 })
  }

  #commitPages(start: Address, end: Address, protect: number): number {
    const { maps } = this.#space
    if (!this.#isOneReservation(start, end)) return -ERROR_INVALID_ADDRESS
    const pieces = maps.over(start, end).map((mapping) => ({
      from: Math.max(mapping.start, start),
      isNew: mapping.attributes === 0,
      end: Math.min(mapping.end, end),
    }))
    const fresh = pieces.reduce((sum, piece) => sum + (piece.isNew ? piece.end - piece.from : 0), 0)
    if (!this.#commit.promise(fresh)) return -ERROR_COMMITMENT_LIMIT
    this.#change(start, end, protections.get(protect)?.[1] ?? 0, protect)
    return start
  }

  /** Forfeits committed pages. The range shrinks to whole pages. */
  #reset(addr: Address, size: number): number {
    const start = alignUp(addr, this.#pageSize)
    const end = alignDown(addr + size, this.#pageSize)
    if (size === 0) return -ERROR_INVALID_PARAMETER
    if (!this.#isOneReservation(start, end)) return -ERROR_INVALID_ADDRESS
    if (this.#space.maps.over(start, end).some(({ attributes }) => attributes === 0)) return -ERROR_INVALID_ADDRESS
    this.#space.forfeit(start, end)
    return alignDown(addr, this.#pageSize)
  }

  /** VirtualFree. */
  free(addr: Address, size: number, type: number): number {
    if (type === MEM_RELEASE && size !== 0) return -ERROR_INVALID_PARAMETER
    if (type !== MEM_RELEASE && type !== MEM_DECOMMIT) return -ERROR_INVALID_PARAMETER
    if (addr === 0) return -ERROR_INVALID_PARAMETER
    const start = alignDown(addr, this.#pageSize)
    const mapping = this.#space.maps.at(start)
    const reservation = mapping === undefined ? undefined : this.#reservations.get(mapping.object)
    if (mapping === undefined || reservation === undefined) return -ERROR_INVALID_ADDRESS
    if (type === MEM_RELEASE) {
      if (start !== reservation.base) return -ERROR_INVALID_ADDRESS
      this.#release(mapping.object, reservation.base, reservation.end)
      return 0
    }
    if (size === 0 && start !== reservation.base) return -ERROR_INVALID_ADDRESS
    const end = size === 0 ? reservation.end : alignUp(addr + size, this.#pageSize)
    // A decommit cannot cross reservations. If it would, it has no effect at all.
    if (end > reservation.end) return -ERROR_INVALID_PARAMETER
    this.#commit.release(this.#committedIn(start, end))
    this.#change(start, end, 0, 0)
    this.#space.discard(start, end)
    return 0
  }

  #release(object: number, base: Address, end: Address): void {
    this.#commit.release(this.#committedIn(base, end))
    this.#space.unmap(base, end, false)
    this.#reservations.delete(object)
  }

  #change(start: Address, end: Address, prot: number, attributes: number): void {
    for (let at = start; at < end;) {
      const mapping = this.#space.maps.at(at)
      if (mapping === undefined) return
      const stop = Math.min(mapping.end, end)
      if (mapping.attributes !== attributes) this.#space.maps.change(mapping, at, stop, prot, attributes)
      at = stop
    }
    if ((prot & 3) !== 3) this.#space.detach(start, end)
  }

  #isOneReservation(start: Address, end: Address): boolean {
    const mapping = this.#space.maps.at(start)
    const reservation = mapping === undefined ? undefined : this.#reservations.get(mapping.object)
    return reservation !== undefined && end <= reservation.end
  }

  #committedIn(start: Address, end: Address): number {
    return this.#space.maps
      .over(start, end)
      .filter(({ attributes }) => attributes !== 0)
      .reduce((sum, mapping) => sum + Math.min(mapping.end, end) - Math.max(mapping.start, start), 0)
  }

  /** VirtualQuery. */
  query(addr: Address): VirtualRegion {
    const v = alignDown(addr, this.#pageSize)
    const mapping = this.#space.maps.from(v)
    if (mapping === undefined || mapping.start > v) {
      return { base: v, allocationBase: 0, size: (mapping?.start ?? HIGHEST) - v, state: 'free', protect: 0 }
    }
    const { start, end, attributes, object } = mapping
    const allocationBase = this.#reservations.get(object)?.base ?? start
    // Like VirtualQuery, this answers from the page in question to the end of the run.
    return {
      base: v,
      allocationBase,
      size: end - v,
      state: attributes === 0 ? 'reserve' : 'commit',
      protect: attributes,
    }
  }
}

/** The state of a page: `'reserve'`, or `'commit'` and its protection's name. */
export function stateOf({ attributes }: Mapping): string {
  return attributes === 0 ? 'reserve' : `commit ${protections.get(attributes)?.[0] ?? ''}`
}

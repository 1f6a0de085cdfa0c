// An address space: which ranges are mapped, their contents, what is resident, and what a touch does. The POSIX,
// Windows and Plan 9 kernels decide what is mapped and how. The pages are here, because pages behave alike on all
// of them.
import { alignDown, alignUp, type Address } from '@memlayer/kernel'
import { NO_HUGE_PAGES } from './attribute.js'
import { Contents } from './contents.js'
import { PageFault, SimulationError, type Access } from './errors.js'
import { Mappings, type Mapping } from './mappings.js'
import type { Random } from './random.js'
import { Ranges } from './ranges.js'
import { FORFEIT, Residence, RESIDENT, ZERO_PAGE } from './residence.js'
import type { Residency } from './simulated.js'

/** The facts of an address space. */
export interface SpaceFacts {
  readonly pageSize: number
  readonly hugePageSize: number
  /** Addresses are counted from here, so that they are exact to the byte. */
  readonly origin: Address
  /** The most mappings that there may be. */
  readonly maxMappings: number
  /** The most bytes that may be resident at first. */
  readonly memory: number
  /** The chance that a call finds forfeit pages taken. */
  readonly pressure: number
  /** How many existing pages of a shared object a read maps at once. 1 means only the page that is read. */
  readonly faultAround: number
  /** Whether a mapping gets huge pages. */
  readonly takesHuge: (mapping: Mapping) => boolean
  /** The name of a page's state, for a page fault. */
  readonly nameOf: (mapping: Mapping) => string
}

const READ_WRITE = 3

/** The mappings, their bytes, and what is resident. */
export class Space {
  readonly maps: Mappings
  readonly residence: Residence
  readonly #facts: SpaceFacts
  readonly #contents: Contents
  readonly #random: Random
  // Pages of shared objects that exist. They may be unmapped at the moment.
  readonly #existing = new Ranges()
  #memory: number
  #families = 0
  #forfeitTaken = 0

  constructor(facts: SpaceFacts, random: Random) {
    this.#facts = facts
    this.#memory = facts.memory
    this.#random = random
    this.#contents = new Contents(facts.pageSize)
    this.residence = new Residence(facts.hugePageSize)
    this.maps = new Mappings(facts.maxMappings, (at) => {
      if (facts.hugePageSize !== 0 && at % facts.hugePageSize !== 0) this.residence.cut(at)
    })
  }

  /** Bytes of forfeit pages that were taken so far. */
  get forfeitTaken(): number {
    return this.#forfeitTaken
  }

  /** Sets the most bytes that may be resident from now on. */
  setMemory(bytes: number): void {
    this.#memory = bytes
  }

  /** Lets time pass. Kernels call it before each call of the port. */
  enter(): void {
    this.#contents.agree()
    for (const page of this.#contents.takeKept()) this.#notice(page + this.#facts.origin)
    if (this.residence.forfeit > 0 && this.#random.chance(this.#facts.pressure)) this.#takeSome()
  }

  /** The whole pages that hold [v, v+n). */
  pages(v: Address, n: number): [start: Address, end: Address] {
    const start = alignDown(v, this.#facts.pageSize)
    if (n === 0) return [start, start]
    return [start, start + alignUp(v - start + n, this.#facts.pageSize)]
  }

  /** Puts a new mapping in free space. */
  map(mapping: Mapping): void {
    // Older views of this range show the new pages, unless those can't be touched.
    if ((mapping.prot & READ_WRITE) !== READ_WRITE) this.detach(mapping.start, mapping.end)
    this.maps.put(mapping)
  }

  /**
   * Removes the mappings in [v, end) with their bytes. The caller has cut mappings at both ends before. With
   * `stays`, views may live on.
   */
  unmap(v: Address, end: Address, stays: boolean): Mapping[] {
    const gone = this.maps.remove(v, end)
    const [first, last] = [gone[0], gone.at(-1)]
    if (first === undefined || last === undefined) return gone
    if (!stays) this.detach(v, end)
    this.#contents.zero(v - this.#facts.origin, end - v)
    this.#existing.assign(v, end, 0)
    const before = this.maps.all()[this.maps.indexFrom(first.start) - 1]
    const after = this.maps.from(first.start)
    this.residence.release(first.start, last.end, before?.end ?? 0, after?.start ?? Infinity)
    return gone
  }

  /** Ends the views of [v, end), because its pages can't be read and written any more. */
  detach(v: Address, end: Address): void {
    this.#contents.detach(v - this.#facts.origin, end - v)
  }

  /** Drops the pages of [v, end), which then read zero. */
  discard(v: Address, end: Address): void {
    this.#contents.zero(v - this.#facts.origin, end - v)
    this.residence.drop(v, end)
    this.#existing.assign(v, end, 0)
  }

  /** Lets the kernel take the pages of [v, end) later. */
  forfeit(v: Address, end: Address): void {
    this.notice(v, end)
    this.splitFolios(v, end)
    // A view may write to its pages unnoticed, and a write saves a page. So pages under views are decided now.
    for (const at of this.#contents.viewed(v - this.#facts.origin, end - v)) this.#decide(at + this.#facts.origin)
    const viewed = new Set(this.#contents.viewed(v - this.#facts.origin, end - v))
    const size = this.#facts.pageSize
    for (const piece of this.residence.pieces(v, end)) {
      if (piece.value !== RESIDENT) continue
      if (viewed.size === 0) {
        this.residence.set(piece.start, piece.end, FORFEIT)
        continue
      }
      for (let at = piece.start; at < piece.end; at += size) {
        if (!viewed.has(at - this.#facts.origin)) this.residence.set(at, at + size, FORFEIT)
      }
    }
  }

  /**
   * Splits for good the huge pages that [v, end) covers in part. Linux (since 6.12) then gives back the small pages
   * that hold only zeroes, and maps the page of zeroes there.
   */
  splitFolios(v: Address, end: Address): void {
    for (const block of this.residence.brokenFolios(v, end)) {
      this.residence.splitFolio(block)
      for (const piece of this.residence.pieces(block, block + this.#facts.hugePageSize)) {
        if (piece.value !== RESIDENT && piece.value !== FORFEIT) continue
        for (let at = piece.start; at < piece.end; at += this.#facts.pageSize) {
          const isHeld = this.#contents.holds(at - this.#facts.origin)
          if (!isHeld) this.residence.set(at, at + this.#facts.pageSize, ZERO_PAGE)
        }
      }
    }
  }

  /** Keeps forfeit pages of [v, end) from now on. Pages that were taken stay taken. */
  reuse(v: Address, end: Address): void {
    for (const piece of this.residence.pieces(v, end)) {
      if (piece.value === FORFEIT) this.residence.set(piece.start, piece.end, RESIDENT)
    }
  }

  /** Takes every forfeit page of [v, end), or all forfeit pages. */
  takeForfeit(v: Address = -Infinity, end: Address = Infinity): void {
    for (const piece of this.residence.pieces(v, end)) {
      if (piece.value === FORFEIT) this.#take(piece.start, piece.end)
    }
  }

  /**
   * Checks that an access to [v, v+n) is allowed.
   *
   * @throws PageFault at the first page where it is not.
   */
  check(v: Address, n: number, access: Access): void {
    const [start, end] = this.pages(v, n)
    let at = start
    for (const mapping of this.maps.over(start, end)) {
      if (mapping.start > at) break
      if (!allows(mapping.prot, access)) throw new PageFault(at, access, this.#facts.nameOf(mapping))
      at = mapping.end
    }
    if (at < end) throw new PageFault(at, access, 'not mapped')
  }

  /**
   * Touches [v, v+n).
   *
   * @throws PageFault, or SimulationError ERR_MEMLAYER_SIM_KILLED with no effect.
   */
  touch(v: Address, n: number, access: Access): void {
    this.check(v, n, access)
    const [start, end] = this.pages(v, n)
    this.populate(start, end, access)
  }

  /** Copies the bytes at `v` into `target`. */
  read(v: Address, target: Uint8Array): void {
    this.touch(v, target.length, 'read')
    this.#contents.read(v - this.#facts.origin, target)
  }

  /** Writes bytes at `v`. */
  write(v: Address, bytes: Uint8Array): void {
    this.touch(v, bytes.length, 'write')
    this.#contents.write(v - this.#facts.origin, bytes)
  }

  /** Zeroes bytes at `v`. Whole pages of zeroes cost nothing. */
  clear(v: Address, n: number): void {
    this.check(v, n, 'write')
    this.#contents.zero(v - this.#facts.origin, n)
  }

  /** The bytes at `v` as an ArrayBuffer. */
  view(v: Address, n: number): ArrayBuffer {
    this.check(v, n, 'read')
    this.check(v, n, 'write')
    const [start, end] = this.pages(v, n)
    for (const piece of this.residence.pieces(start, end)) {
      if (piece.value !== FORFEIT) continue
      for (let at = piece.start; at < piece.end; at += this.#facts.pageSize) this.#decide(at)
    }
    return this.#contents.view(v - this.#facts.origin, n)
  }

  /** Puts memory behind the pages of [v, end), which are mapped. */
  populate(v: Address, end: Address, access: Access): void {
    this.#room(v, end, access)
    for (const mapping of this.maps.over(v, end)) {
      const [from, to] = [Math.max(v, mapping.start), Math.min(end, mapping.end)]
      if (mapping.object === 0 && access === 'write') this.#founds(mapping)
      if (this.#facts.hugePageSize !== 0 && mapping.object === 0) this.#populateHuge(mapping, from, to, access)
      else this.#populateSmall(mapping, from, to, access)
    }
  }

  /**
   * Turns the whole blocks in [v, end), a part of `mapping`, into huge pages. Returns false when the mapping gets
   * no huge pages, or when some blocks are empty.
   */
  collapse(mapping: Mapping, v: Address, end: Address): boolean {
    const huge = this.#facts.hugePageSize
    const hasBlock = huge !== 0 && alignDown(mapping.end, huge) - huge >= mapping.start
    this.notice(v, end)
    if (!hasBlock || mapping.anon === 0 || (mapping.attributes & NO_HUGE_PAGES) !== 0) return false
    let done = alignUp(v, huge) <= alignDown(end, huge)
    for (let block = alignUp(v, huge); block + huge <= end; block += huge) {
      if (this.residence.isHuge(block)) continue
      if (this.residence.in(block, block + huge) === 0) done = false
      else this.residence.setHuge(block)
    }
    return done
  }

  /** Collapses what it may of [v, end), as khugepaged does: only where a touch would get a huge page too. */
  collapseAll(v: Address, end: Address): void {
    for (const mapping of this.maps.over(v, end)) {
      if (!this.#facts.takesHuge(mapping)) continue
      this.collapse(mapping, Math.max(v, mapping.start), Math.min(end, mapping.end))
    }
  }

  /** How much of [v, v+n) has memory behind it. */
  residency(v: Address, n: number): Residency {
    const [start, end] = this.pages(v, n)
    this.notice(start, end)
    return {
      resident: this.residence.in(start, end),
      forfeit: this.residence.forfeitIn(start, end),
      huge: this.residence.hugeIn(start, end),
    }
  }

  /** What of [v, v+n) has memory behind it, as the port's `residency` tells it. */
  runs(v: Address, n: number): number[] {
    const [start, end] = this.pages(v, n)
    this.notice(start, end)
    return this.residence.runs(start, end)
  }

  /** Counts the pages of [v, end) as touched in which views have left bytes. */
  notice(v: Address, end: Address): void {
    for (const at of this.#contents.viewed(v - this.#facts.origin, end - v)) this.#notice(at + this.#facts.origin)
  }

  #notice(at: Address): void {
    if (this.residence.at(at) === RESIDENT || this.maps.at(at) === undefined) return
    if (this.#contents.holds(at - this.#facts.origin)) this.populate(at, at + this.#facts.pageSize, 'write')
  }

  #populateSmall(mapping: Mapping, v: Address, end: Address, access: Access): void {
    if (mapping.object > 0 && this.#facts.faultAround > 1) {
      this.#populateShared(mapping, v, end, access)
      return
    }
    const kind = access === 'write' || mapping.object !== 0 ? RESIDENT : ZERO_PAGE
    for (const piece of this.residence.pieces(v, end)) {
      const isBehind = access === 'write' ? piece.value === RESIDENT : piece.value !== 0
      if (!isBehind) this.residence.set(piece.start, piece.end, kind)
    }
  }

  #populateShared(mapping: Mapping, v: Address, end: Address, access: Access): void {
    const size = this.#facts.pageSize
    const around = size * this.#facts.faultAround
    for (let at = v; at < end; at += size) {
      if (this.residence.at(at) === RESIDENT) continue
      if (access === 'read') {
        const window = alignDown(at, around)
        const [from, to] = [Math.max(window, mapping.start), Math.min(window + around, mapping.end)]
        for (const piece of this.#existing.holding(1, from, to)) this.residence.set(piece.start, piece.end, RESIDENT)
      }
      this.residence.set(at, at + size, RESIDENT)
      this.#existing.assign(at, at + size, 1)
    }
  }

  #populateHuge(mapping: Mapping, v: Address, end: Address, access: Access): void {
    const huge = this.#facts.hugePageSize
    for (let at = v; at < end;) {
      const block = alignDown(at, huge)
      const stop = Math.min(block + huge, end)
      const fits = block >= mapping.start && block + huge <= mapping.end
      const takes = fits && this.residence.isFresh(block) && this.#facts.takesHuge(mapping)
      // A write to the huge page of zeroes gives a real huge page. A later advice does not matter.
      if (access === 'write' && (takes || this.residence.isZeroes(block))) this.residence.setHuge(block)
      else if (takes) this.residence.setZeroes(block)
      else if (!this.residence.isZeroes(block)) this.#populateSmall(mapping, at, stop, access)
      if (takes) this.#founds(mapping)
      at = stop
    }
  }

  /** Gives a mapping a family at its first private page: that of a neighbour like it, else a new one. */
  #founds(mapping: Mapping): void {
    if (mapping.anon !== 0) return
    const after = this.maps.at(mapping.end)
    const before = this.maps.at(mapping.start - this.#facts.pageSize)
    const fits = (other: Mapping | undefined): other is Mapping =>
      other !== undefined && other.anon !== 0 && other.object === 0 && other.attributes === mapping.attributes
    mapping.anon = fits(after) ? after.anon : fits(before) ? before.anon : ++this.#families
  }

  /**
   * Makes sure that there is memory for all of [v, end).
   *
   * @throws SimulationError ERR_MEMLAYER_SIM_KILLED when there is not.
   */
  #room(v: Address, end: Address, access: Access): void {
    const memory = this.#memory
    if (memory === Infinity || access === 'read') return
    const wanted = end - v - this.residence.in(v, end)
    if (this.residence.total + wanted <= memory) return
    this.takeForfeit()
    if (this.residence.total + wanted <= memory) return
    throw new SimulationError(
      'ERR_MEMLAYER_SIM_KILLED',
      `touching ${end - v} bytes needs more memory than the machine has: ` +
        `${this.residence.total} of ${memory} bytes are resident`,
      'Give pages back before you touch others, or raise the limit. A real kernel would have killed the process.',
    )
  }

  /** Decides a forfeit page, or one about to be, that a view shows. It goes now, or it stays for good. */
  #decide(at: Address): void {
    const end = at + this.#facts.pageSize
    const kind = this.residence.at(at)
    if (kind !== RESIDENT && kind !== FORFEIT) return
    if (this.#facts.pressure > 0 && this.#random.chance(0.5)) this.#take(at, end)
    else if (kind === FORFEIT) this.residence.set(at, end, RESIDENT)
  }

  /** Takes some of the forfeit pages, as a kernel that needs memory. */
  #takeSome(): void {
    const pieces = this.residence.pieces(-Infinity, Infinity).filter((piece) => piece.value === FORFEIT)
    const piece = pieces[this.#random.below(pieces.length)]
    if (piece === undefined) return
    const pages = (piece.end - piece.start) / this.#facts.pageSize
    const first = this.#random.below(pages)
    const count = 1 + this.#random.below(pages - first)
    const start = piece.start + first * this.#facts.pageSize
    this.#take(start, start + count * this.#facts.pageSize)
  }

  #take(v: Address, end: Address): void {
    this.#forfeitTaken += end - v
    this.discard(v, end)
  }
}

/** Whether protection allows an access. Writable memory can also be read. */
export function allows(prot: number, access: Access): boolean {
  return access === 'write' ? (prot & 2) !== 0 : (prot & 3) !== 0
}

// An address space: which ranges are mapped, what is in them, what is resident, and what a
// touch does. The POSIX, Windows and Plan 9 kernels decide what is mapped and how; the pages
// are here, because a page behaves alike under all of them.
import { alignDown, alignUp, type Address } from '@memlayer/kernel'
import { NO_HUGE_PAGES } from './attribute.js'
import { Contents } from './contents.js'
import { PageFault, SimulationError, type Access } from './errors.js'
import { Mappings, type Mapping } from './mappings.js'
import type { Random } from './random.js'
import { Ranges } from './ranges.js'
import { FORFEIT, Residence, RESIDENT, ZERO_PAGE } from './residence.js'
import type { Residency } from './simulated.js'

/** What an address space is made of. */
export interface SpaceFacts {
  readonly pageSize: number
  readonly hugePageSize: number
  /** Addresses are counted from here, so that they are exact to the byte. */
  readonly origin: Address
  /** How many mappings there may be. */
  readonly maxMappings: number
  /** How many bytes may be resident. */
  readonly memory: number
  /** The chance that a call finds forfeit pages taken. */
  readonly pressure: number
  /** How many pages of a shared object a read maps at once, where they exist; 1: the one that is read. */
  readonly faultAround: number
  /** Whether a mapping gets huge pages. */
  readonly takesHuge: (mapping: Mapping) => boolean
  /** What a page of it is called when it can't be touched. */
  readonly nameOf: (mapping: Mapping) => string
}

const READ_WRITE = 3

/** Mappings, their bytes, and what is resident. */
export class Space {
  readonly maps: Mappings
  readonly residence: Residence
  readonly #facts: SpaceFacts
  readonly #contents: Contents
  readonly #random: Random
  // Pages of shared objects that exist, mapped at the moment or not.
  readonly #existing = new Ranges()
  #families = 0
  #forfeitTaken = 0

  constructor(facts: SpaceFacts, random: Random) {
    this.#facts = facts
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

  /** To be called before each call of the port: time has passed. */
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
    // Views that were here before show the new pages, unless those can't be touched.
    if ((mapping.prot & READ_WRITE) !== READ_WRITE) this.detach(mapping.start, mapping.end)
    this.maps.put(mapping)
  }

  /** Takes what is mapped in [v, end) out, with its bytes; mappings were cut at both before. `stays`: views may live on. */
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

  /** The pages of [v, end) can't be read and written any more. */
  detach(v: Address, end: Address): void {
    this.#contents.detach(v - this.#facts.origin, end - v)
  }

  /** The pages of [v, end) go, and read zero. */
  discard(v: Address, end: Address): void {
    this.#contents.zero(v - this.#facts.origin, end - v)
    this.residence.drop(v, end)
    this.#existing.assign(v, end, 0)
  }

  /** The pages of [v, end) are the kernel's to take. */
  forfeit(v: Address, end: Address): void {
    this.notice(v, end)
    this.splitFolios(v, end)
    // A view may write to its pages unseen, which would save them: theirs are decided now.
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
   * Huge pages that [v, end) has a part of are split for good. As Linux splits one (since 6.12), its
   * pages that hold nothing but zeroes are given back, and show the page of zeroes.
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

  /** Forfeit pages of [v, end) are wanted again; those that were taken stay so. */
  reuse(v: Address, end: Address): void {
    for (const piece of this.residence.pieces(v, end)) {
      if (piece.value === FORFEIT) this.residence.set(piece.start, piece.end, RESIDENT)
    }
  }

  /** Takes every forfeit page of [v, end), or all there are. */
  takeForfeit(v: Address = -Infinity, end: Address = Infinity): void {
    for (const piece of this.residence.pieces(v, end)) {
      if (piece.value === FORFEIT) this.#take(piece.start, piece.end)
    }
  }

  /** @throws PageFault unless all of [v, v+n) may be touched so. */
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

  /** Touches [v, v+n). @throws PageFault, or SimulationError ERR_MEMLAYER_SIM_KILLED with no effect. */
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

  /** Zeroes bytes at `v`; whole pages of zeroes cost nothing. */
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
   * Makes huge pages of the whole blocks in [v, end), a part of `mapping`; false: it gets none, or some
   * blocks have nothing in them.
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

  /** What of [v, v+n) has memory behind it. */
  residency(v: Address, n: number): Residency {
    const [start, end] = this.pages(v, n)
    this.notice(start, end)
    return {
      resident: this.residence.in(start, end),
      forfeit: this.residence.forfeitIn(start, end),
      huge: this.residence.hugeIn(start, end),
    }
  }

  /** Counts pages of [v, end) as touched that views have left bytes in. */
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
      // What shows the huge page of zeroes gets one of its own, whatever was advised meanwhile.
      if (access === 'write' && (takes || this.residence.isZeroes(block))) this.residence.setHuge(block)
      else if (takes) this.residence.setZeroes(block)
      else if (!this.residence.isZeroes(block)) this.#populateSmall(mapping, at, stop, access)
      if (takes) this.#founds(mapping)
      at = stop
    }
  }

  /** The first page of its own gives a mapping a family: a neighbour's that is like it, else a new one. */
  #founds(mapping: Mapping): void {
    if (mapping.anon !== 0) return
    const after = this.maps.at(mapping.end)
    const before = this.maps.at(mapping.start - this.#facts.pageSize)
    const fits = (other: Mapping | undefined): other is Mapping =>
      other !== undefined && other.anon !== 0 && other.object === 0 && other.attributes === mapping.attributes
    mapping.anon = fits(after) ? after.anon : fits(before) ? before.anon : ++this.#families
  }

  /** @throws SimulationError ERR_MEMLAYER_SIM_KILLED when there is no memory for all of [v, end). */
  #room(v: Address, end: Address, access: Access): void {
    const { memory } = this.#facts
    if (memory === Infinity || access === 'read') return
    const wanted = end - v - this.residence.in(v, end)
    if (this.residence.total + wanted <= memory) return
    this.takeForfeit()
    if (this.residence.total + wanted <= memory) return
    throw new SimulationError(
      'ERR_MEMLAYER_SIM_KILLED',
      `a touch of ${end - v} bytes needs more memory than there is: ${this.residence.total} of ${memory} bytes are resident`,
      'A real kernel would have killed the process. Give pages back before you touch others, or raise the limit.',
    )
  }

  /** A forfeit page, or one about to be, that a view shows: it goes now, or it stays for good. */
  #decide(at: Address): void {
    const end = at + this.#facts.pageSize
    const kind = this.residence.at(at)
    if (kind !== RESIDENT && kind !== FORFEIT) return
    if (this.#facts.pressure > 0 && this.#random.chance(0.5)) this.#take(at, end)
    else if (kind === FORFEIT) this.residence.set(at, end, RESIDENT)
  }

  /** Some of the forfeit pages go: the kernel wants them. */
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

/** Whether protection lets memory be touched so; what can be written can be read. */
export function allows(prot: number, access: Access): boolean {
  return access === 'write' ? (prot & 2) !== 0 : (prot & 3) !== 0
}

// The list of mappings, as Linux keeps it (mm/vma.c): which neighbours merge, which calls split a mapping, and when
// the limit on their number refuses a call. The other kernels keep such a list as well, but a process can't see how
// they split theirs.
import type { Address } from '@memlayer/kernel'

/** A range that is mapped in one way. */
export interface Mapping {
  start: Address
  end: Address
  /** PROT_READ 1, PROT_WRITE 2, PROT_EXEC 4. */
  prot: number
  /** Attributes: see attribute.ts. Mappings that differ in one do not merge. */
  attributes: number
  /**
   * What the mapping shows. 0 is private memory. Other numbers are shared objects, foreign mappings or
   * reservations.
   */
  object: number
  /**
   * The family of its private pages (Linux: anon_vma). 0 until the first write. Mappings of two different families
   * do not merge.
   */
  anon: number
}

/** The mappings of one address space, in order of address. */
export class Mappings {
  readonly #list: Mapping[] = []
  /** The most mappings that there may be. */
  readonly limit: number
  readonly #onCut: (at: Address) => void
  #bytes = 0

  /** `onCut` is called with every address at which a mapping is cut. */
  constructor(limit: number, onCut: (at: Address) => void) {
    this.limit = limit
    this.#onCut = onCut
  }

  get count(): number {
    return this.#list.length
  }

  /** Bytes that are mapped. */
  get bytes(): number {
    return this.#bytes
  }

  /** All mappings, in order. */
  all(): readonly Mapping[] {
    return this.#list
  }

  /** The first mapping that ends above `v`. */
  from(v: Address): Mapping | undefined {
    return this.#list[this.indexFrom(v)]
  }

  /** The mapping that contains `v`. */
  at(v: Address): Mapping | undefined {
    const mapping = this.from(v)
    return mapping !== undefined && mapping.start <= v ? mapping : undefined
  }

  /** The mappings that contain some of [v, end). */
  over(v: Address, end: Address): Mapping[] {
    const found: Mapping[] = []
    for (let i = this.indexFrom(v); i < this.#list.length; i++) {
      const mapping = this.#list[i] as Mapping
      if (mapping.start >= end) break
      found.push(mapping)
    }
    return found
  }

  /** Whether nothing of [v, end) is mapped. */
  isFree(v: Address, end: Address): boolean {
    const next = this.from(v)
    return next === undefined || next.start >= end
  }

  /** Whether all of [v, end) is mapped. */
  isWhole(v: Address, end: Address): boolean {
    let at = v
    for (const mapping of this.over(v, end)) {
      if (mapping.start > at) return false
      at = mapping.end
    }
    return at >= end
  }

  /** The place of the first mapping that ends above `v`. */
  indexFrom(v: Address): number {
    let low = 0
    let high = this.#list.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#list[middle] as Mapping).end > v) high = middle
      else low = middle + 1
    }
    return low
  }

  /**
   * Cuts mappings at `v` and `end`, so that no mapping crosses them. Returns false when that makes one mapping too
   * many.
   */
  cutOut(v: Address, end: Address): boolean {
    const first = this.at(v)
    if (first !== undefined && first.start < v) {
      // A hole in the middle adds one mapping for good. Any other cut adds one only until the caller removes the
      // rest.
      if (first.end > end && this.count >= this.limit) return false
      this.#cut(first, v)
    }
    const last = this.at(end)
    if (last !== undefined && last.start < end) this.#cut(last, end)
    return true
  }

  /** Removes [v, end). The caller has cut mappings at both ends before. */
  remove(v: Address, end: Address): Mapping[] {
    const from = this.indexFrom(v)
    let to = from
    while (to < this.#list.length && (this.#list[to] as Mapping).start < end) to += 1
    const gone = this.#list.splice(from, to - from)
    for (const mapping of gone) this.#bytes -= mapping.end - mapping.start
    return gone
  }

  /** Puts a new mapping in free space. It merges with a neighbour that is like it. */
  put(mapping: Mapping): void {
    const i = this.indexFrom(mapping.start)
    this.#bytes += mapping.end - mapping.start
    const [left, right] = this.#likeNeighbours(i - 1, mapping, i)
    if (left !== undefined) {
      left.end = right === undefined ? mapping.end : right.end
      if (right !== undefined) {
        left.anon ||= right.anon
        this.#list.splice(i, 1)
      }
    } else if (right !== undefined) {
      right.start = mapping.start
    } else {
      this.#list.splice(i, 0, mapping)
    }
  }

  /**
   * Gives [v, end), a part of `mapping`, other rights and attributes. Returns false when that makes too many
   * mappings. The cuts made by then stay.
   */
  change(mapping: Mapping, v: Address, end: Address, prot: number, attributes: number): boolean {
    const i = this.indexFrom(mapping.start)
    const wanted: Mapping = { ...mapping, start: v, end, prot, attributes }
    const before = v === mapping.start ? i - 1 : -1
    const after = end === mapping.end ? i + 1 : this.count
    const [left, right] = this.#likeNeighbours(before, wanted, after)
    if (left === undefined && right === undefined) return this.#changeAlone(mapping, v, end, prot, attributes)
    if (left !== undefined) left.anon ||= mapping.anon
    if (right !== undefined) right.anon ||= mapping.anon
    if (left !== undefined && right !== undefined) {
      left.end = right.end
      left.anon ||= right.anon
      this.#list.splice(i, 2)
    } else if (left !== undefined) {
      left.end = end
      this.#shrink(i, end, mapping.end)
    } else if (right !== undefined) {
      right.start = v
      this.#shrink(i, mapping.start, v)
    }
    return true
  }

  #changeAlone(mapping: Mapping, v: Address, end: Address, prot: number, attributes: number): boolean {
    let middle = mapping
    if (mapping.start < v) {
      if (this.count >= this.limit) return false
      middle = this.#cut(mapping, v)
    }
    if (middle.end > end) {
      if (this.count >= this.limit) return false
      this.#cut(middle, end)
    }
    middle.prot = prot
    middle.attributes = attributes
    return true
  }

  /** Makes the mapping at `i` cover [v, end). An empty range removes it. */
  #shrink(i: number, v: Address, end: Address): void {
    if (v === end) {
      this.#list.splice(i, 1)
      return
    }
    const mapping = this.#list[i] as Mapping
    this.#onCut(v === mapping.start ? end : v)
    mapping.start = v
    mapping.end = end
  }

  /** Cuts `mapping` in two at `at`. Returns the upper part. */
  #cut(mapping: Mapping, at: Address): Mapping {
    const upper = { ...mapping, start: at }
    mapping.end = at
    this.#list.splice(this.indexFrom(mapping.start) + 1, 0, upper)
    this.#onCut(at)
    return upper
  }

  /** The mappings at `before` and `after` that merge with `mapping`. */
  #likeNeighbours(before: number, mapping: Mapping, after: number): [Mapping | undefined, Mapping | undefined] {
    const left = this.#list[before]
    const right = this.#list[after]
    const joinsLeft = left !== undefined && left.end === mapping.start && areAlike(left, mapping)
    const joinsRight = right !== undefined && right.start === mapping.end && areAlike(mapping, right)
    // Each may merge with the new one, and yet not with the other. Then the left one wins.
    const joinsBoth = joinsLeft && joinsRight && agreeOnAnon(left, right)
    return [joinsLeft ? left : undefined, joinsRight && (!joinsLeft || joinsBoth) ? right : undefined]
  }
}

function areAlike(a: Mapping, b: Mapping): boolean {
  return a.prot === b.prot && a.attributes === b.attributes && a.object === b.object && agreeOnAnon(a, b)
}

function agreeOnAnon(a: Mapping, b: Mapping): boolean {
  return a.anon === 0 || b.anon === 0 || a.anon === b.anon
}

// Which of a memory's views, or of its shares, touch a range of addresses. Every operation that takes pages away
// asks, so the answer is quick where there is nothing to find.
//
// Entries lie in arrays of which every place was written when they were made, and in links: any code can put a setter
// for an index on Array.prototype, and what is pushed would go there.
//
// A script may end at any call and in any loop, and V8 ends one inside of a call of its own, as Map.prototype.set. So
// what changes an entry's place is one call or one store, and a link back is a hint. An entry is counted before it is
// added and after it is taken out: a count that a script left is too high, never too low.
import type { Address } from '@memlayer/kernel'

/** What an index holds: a range of at least a byte, and its neighbours in the index. */
export interface IndexEntry<E> {
  readonly start: Address
  readonly end: Address
  /** The next entry of the same span. Only the index uses it. */
  next: E | null
  /** The entry before it, so that the index takes it out without a search. */
  previous: E | null
  /** Whether it is in a span of the index. Those that the list has are in none. */
  isIn: boolean
}

// Level k cuts the address space into granules of 64 KiB * 8^k, up to 2^52 bytes. An entry lies at the lowest level
// whose granule is as long as the entry, in the granule where it starts. So it ends in that granule or in the next.
const LEVELS = 13
const granules: readonly number[] = /* @__PURE__ */ Array.from({ length: LEVELS }, (_, k) => 2 ** 16 * 8 ** k)

/** A granule has so many units: of the first level, a unit is a page of 4 KiB. */
const unitsPerGranule = 16

/**
 * The entries of a granule that touch the same units. Thousands of small entries lie in one page, and an operation on
 * another page looks at none of them. A granule has at most 272 spans.
 */
interface Span<E> {
  /** Whole units. */
  readonly start: Address
  readonly end: Address
  /** Its first entry, which leads to the others. Null where a script ended before it had one, or took the last out. */
  first: E | null
  next: Span<E> | null
}

// A granule's first span, which leads to the others: most have one.
type Level<E> = Map<number, Span<E>>

/** A walk over so many entries is faster than a look into a map. */
const listEntriesMax = 8

/** Entries that were found, one after the other. */
export interface Found<E> {
  readonly entry: E
  readonly next: Found<E> | null
}

/**
 * Entries by the addresses they cover. Up to 8 entries are kept in a list. More are kept in maps by granule, until the
 * index is empty again.
 */
export class RangeIndex<E extends IndexEntry<E>> {
  readonly #list: (E | null)[] = [null, null, null, null, null, null, null, null]
  #listed = 0
  /** Null: all entries are in the list. */
  #levels: readonly Level<E>[] | null = null
  #size = 0
  #bytes = 0

  /** The number of entries. */
  get size(): number {
    return this.#size
  }

  /** The bytes of all entries. An engine takes those of views for its own. */
  get bytes(): number {
    return this.#bytes
  }

  add(entry: E): void {
    this.#size += 1
    this.#bytes += entry.end - entry.start
    if (this.#levels === null && this.#listed === listEntriesMax) {
      const levels = Array.from({ length: LEVELS }, () => new Map<number, Span<E>>())
      for (let i = 0; i < listEntriesMax; i++) addTo(levels, this.#list[i] as E)
      this.#levels = levels
      this.#listed = 0
      this.#list.fill(null)
    }
    if (this.#levels !== null) return addTo(this.#levels, entry)
    this.#list[this.#listed] = entry
    this.#listed += 1
  }

  /** Forgets an entry. One that is not there is no error: its buffer was detached before it was collected. */
  delete(entry: E): void {
    if (!(this.#levels === null ? this.#drop(entry) : deleteFrom(this.#levels, entry))) return
    this.#bytes -= entry.end - entry.start
    this.#size -= 1
    if (this.#size === 0) this.#levels = null
  }

  /** The entries that touch [v, v+n), before those of `found`. Null: none do. */
  touching(v: Address, n: number, found: Found<E> | null = null): Found<E> | null {
    const end = v + n
    if (this.#levels === null) {
      for (let i = 0; i < this.#listed; i++) found = collect(this.#list[i] as E, v, end, found)
      return found
    }
    for (let k = 0; k < LEVELS; k++) {
      const level = this.#levels[k] as Level<E>
      if (level.size === 0) continue
      const first = granuleOf(k, v) - 1
      const last = granuleOf(k, end - 1)
      if (last - first > level.size) {
        for (const span of level.values()) found = collectAll(span, v, end, found)
      } else {
        for (let granule = first; granule <= last; granule++) found = collectAll(level.get(granule), v, end, found)
      }
    }
    return found
  }

  /** Takes an entry out of the list, which has no order. False: it is not there. */
  #drop(entry: E): boolean {
    const list = this.#list
    for (let i = 0; i < this.#listed; i++) {
      if (list[i] !== entry) continue
      const last = this.#listed - 1
      list[i] = list[last] as E
      this.#listed = last
      list[last] = null
      return true
    }
    return false
  }
}

function addTo<E extends IndexEntry<E>>(levels: readonly Level<E>[], entry: E): void {
  const span = spanFor(levels, entry, true) as Span<E>
  const { first } = span
  entry.next = first
  span.first = entry
  if (first !== null) first.previous = entry
  entry.isIn = true
}

/** The span of an entry; undefined: there is none, and it is not to be made. */
function spanFor<E extends IndexEntry<E>>(levels: readonly Level<E>[], entry: E, isMade: boolean): Span<E> | undefined {
  const k = levelOf(entry)
  const level = levels[k] as Level<E>
  const granule = granuleOf(k, entry.start)
  const unit = (granules[k] as number) / unitsPerGranule
  const start = Math.floor(entry.start / unit) * unit
  const end = Math.ceil(entry.end / unit) * unit
  const first = level.get(granule)
  for (let at = first; at !== undefined; at = at.next ?? undefined) if (at.start === start && at.end === end) return at
  if (!isMade) return undefined
  const span: Span<E> = { start, end, first: null, next: first ?? null }
  // A script may end inside of this call, before or after it has an effect. A span without an entry is no harm.
  level.set(granule, span)
  return span
}

/**
 * Takes an entry out of its span, without a search: thousands of small entries lie in one, and go in any order. False:
 * it is not there.
 */
function deleteFrom<E extends IndexEntry<E>>(levels: readonly Level<E>[], entry: E): boolean {
  const span = spanFor(levels, entry, false)
  const first = span?.first ?? undefined
  const before = entry === first ? null : entryBefore(first, entry)
  // A script may end before the stores below. An entry that is in the index may not know it then, and no other one
  // takes it for its neighbour.
  entry.isIn = false
  if (before === undefined || span === undefined) return false
  const { next } = entry
  if (before !== null) before.next = next
  else span.first = next
  if (next !== null) next.previous = before
  // The entry may live for as long as its user keeps the buffer. Its neighbours need not live so long.
  entry.next = null
  entry.previous = null
  if (span.first === null) dropSpan(levels, entry, span)
  return true
}

/** Takes out a span that has no entry any more. */
function dropSpan<E extends IndexEntry<E>>(levels: readonly Level<E>[], entry: E, span: Span<E>): void {
  const k = levelOf(entry)
  const level = levels[k] as Level<E>
  const granule = granuleOf(k, entry.start)
  const first = level.get(granule)
  if (first === span) {
    if (span.next === null) level.delete(granule)
    else level.set(granule, span.next)
    return
  }
  for (let at = first; at !== undefined; at = at.next ?? undefined) {
    if (at.next !== span) continue
    at.next = span.next
    return
  }
}

/** The entry before one that is not the first of its span; undefined: it is not there. */
function entryBefore<E extends IndexEntry<E>>(first: E | undefined, entry: E): E | undefined {
  const { previous } = entry
  if (entry.isIn && previous !== null && previous.isIn && previous.next === entry) return previous
  for (let at = first; at !== undefined; at = at.next ?? undefined) if (at.next === entry) return at
  return undefined
}

function levelOf({ start, end }: { readonly start: Address; readonly end: Address }): number {
  let k = 0
  while (end - start > (granules[k] as number) && k < LEVELS - 1) k += 1
  return k
}

function granuleOf(k: number, v: Address): number {
  return Math.floor(v / (granules[k] as number))
}

/** Puts the entries of a granule that touch [v, end) before `found`. */
function collectAll<E extends IndexEntry<E>>(
  first: Span<E> | undefined,
  v: Address,
  end: Address,
  found: Found<E> | null,
): Found<E> | null {
  for (let span = first ?? null; span !== null; span = span.next) {
    if (span.start >= end || span.end <= v) continue
    for (let entry = span.first; entry !== null; entry = entry.next) found = collect(entry, v, end, found)
  }
  return found
}

/** Puts an entry that touches [v, end) before `found`. */
function collect<E extends IndexEntry<E>>(entry: E, v: Address, end: Address, found: Found<E> | null): Found<E> | null {
  return entry.start < end && entry.end > v ? { entry, next: found } : found
}

// Which of a memory's views, or of its shares, touch a range of addresses. Every operation that takes pages away
// asks, so the answer is quick where there is nothing to find.
import type { Address } from '@memlayer/kernel'

/** What an index holds: a range of at least a byte, and its neighbours in the index. */
export interface IndexEntry<E> {
  readonly start: Address
  readonly end: Address
  /** The next entry of the same granule. Only the index uses it. */
  next: E | null
  /** The entry before it, so that the index takes it out without a search. */
  previous: E | null
}

// Level k cuts the address space into granules of 64 KiB * 8^k, up to 2^52 bytes. An entry lies at the lowest level
// whose granule is as long as the entry, in the granule where it starts. So it ends in that granule or in the next.
const LEVELS = 13
const granules: readonly number[] = Array.from({ length: LEVELS }, (_, k) => 2 ** 16 * 8 ** k)

// A granule's first entry, which leads to the others: most have one.
type Level<E> = Map<number, E>

/** A walk over so many entries is faster than a look into a map. */
const listEntriesMax = 8

const none: readonly never[] = []

/**
 * Entries by the addresses they cover. Up to 8 entries are kept in a list. More are kept in maps by granule, until the
 * index is empty again.
 */
export class RangeIndex<E extends IndexEntry<E>> {
  readonly #list: E[] = []
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
    if (this.#levels === null && this.#list.length === listEntriesMax) {
      this.#levels = Array.from({ length: LEVELS }, () => new Map())
      for (const one of this.#list) addTo(this.#levels, one)
      this.#list.length = 0
    }
    if (this.#levels === null) this.#list.push(entry)
    else addTo(this.#levels, entry)
    this.#size += 1
    this.#bytes += entry.end - entry.start
  }

  /** Forgets an entry. One that is not there is no error: its buffer was detached before it was collected. */
  delete(entry: E): void {
    if (!(this.#levels === null ? dropFrom(this.#list, entry) : deleteFrom(this.#levels, entry))) return
    this.#size -= 1
    this.#bytes -= entry.end - entry.start
    if (this.#size === 0) this.#levels = null
  }

  /** The entries that touch [v, v+n). */
  touching(v: Address, n: number): readonly E[] {
    const end = v + n
    let found: E[] | null = null
    if (this.#levels === null) {
      for (const entry of this.#list) found = collect(entry, v, end, found)
      return found ?? none
    }
    for (let k = 0; k < LEVELS; k++) {
      const level = this.#levels[k] as Level<E>
      if (level.size === 0) continue
      const first = granuleOf(k, v) - 1
      const last = granuleOf(k, end - 1)
      if (last - first > level.size) {
        for (const entry of level.values()) found = collectAll(entry, v, end, found)
      } else {
        for (let granule = first; granule <= last; granule++) found = collectAll(level.get(granule), v, end, found)
      }
    }
    return found ?? none
  }
}

/** Takes an entry out of a list that has no order. False: it is not there. */
function dropFrom<E>(list: E[], entry: E): boolean {
  const at = list.indexOf(entry)
  if (at < 0) return false
  const last = list.pop() as E
  if (last !== entry) list[at] = last
  return true
}

function addTo<E extends IndexEntry<E>>(levels: readonly Level<E>[], entry: E): void {
  const k = levelOf(entry)
  const level = levels[k] as Level<E>
  const granule = granuleOf(k, entry.start)
  const first = level.get(granule) ?? null
  entry.next = first
  if (first !== null) first.previous = entry
  level.set(granule, entry)
}

/**
 * Takes an entry out of its granule, without a search: thousands of small views lie in one granule, and go in any
 * order. False: it is not there.
 */
function deleteFrom<E extends IndexEntry<E>>(levels: readonly Level<E>[], entry: E): boolean {
  const { next, previous } = entry
  if (previous !== null) previous.next = next
  else if (!dropFirst(levels, entry)) return false
  if (next !== null) next.previous = previous
  // The entry may live for as long as its user keeps the buffer. Its neighbours need not live so long.
  entry.next = null
  entry.previous = null
  return true
}

/** Takes out the first entry of a granule. False: this entry is not the first, so it is not in the index. */
function dropFirst<E extends IndexEntry<E>>(levels: readonly Level<E>[], entry: E): boolean {
  const k = levelOf(entry)
  const level = levels[k] as Level<E>
  const granule = granuleOf(k, entry.start)
  if (level.get(granule) !== entry) return false
  if (entry.next === null) level.delete(granule)
  else level.set(granule, entry.next)
  return true
}

function levelOf({ start, end }: { readonly start: Address; readonly end: Address }): number {
  let k = 0
  while (end - start > (granules[k] as number) && k < LEVELS - 1) k += 1
  return k
}

function granuleOf(k: number, v: Address): number {
  return Math.floor(v / (granules[k] as number))
}

/** Adds the entries of a granule that touch [v, end) to `found`. */
function collectAll<E extends IndexEntry<E>>(
  first: E | undefined,
  v: Address,
  end: Address,
  found: E[] | null,
): E[] | null {
  for (let entry = first ?? null; entry !== null; entry = entry.next) found = collect(entry, v, end, found)
  return found
}

/** Adds an entry that touches [v, end) to `found`. The first entry makes the list. */
function collect<E extends IndexEntry<E>>(entry: E, v: Address, end: Address, found: E[] | null): E[] | null {
  if (!(entry.start < end && entry.end > v)) return found
  if (found === null) return [entry]
  found.push(entry)
  return found
}

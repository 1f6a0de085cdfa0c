// What touches a range of addresses: which of a memory's views, and which of its shares. Asked before
// every operation that takes pages away from their users, so it is quick where there is nothing to find.
import type { Address } from '@memlayer/kernel'

/** What an index holds: a range of at least a byte, and its neighbours there. */
export interface IndexEntry<E> {
  readonly start: Address
  readonly end: Address
  /** The next entry of the same granule. For the index alone. */
  next: E | null
  /** The one before it, so that it is taken out without looking for it. */
  previous: E | null
}

// Level k cuts the address space into granules of 64 KiB * 8^k, up to 2^52 bytes. An entry lies at
// the lowest level whose granule is as long as the entry, in the granule where it starts: so it
// ends in that granule or in the next.
const LEVELS = 13
const granules: readonly number[] = Array.from({ length: LEVELS }, (_, k) => 2 ** 16 * 8 ** k)

// A granule's first entry, which leads to the others: most have one.
type Level<E> = Map<number, E>

/** As many are looked through faster than any map is asked. */
const FEW = 8

const none: readonly never[] = []

/** Entries by the addresses they cover: a short list, and from the first that is too many on, until there is none, by granule. */
export class RangeIndex<E extends IndexEntry<E>> {
  readonly #few: E[] = []
  /** Null: all are in the list. */
  #levels: readonly Level<E>[] | null = null
  #size = 0
  #bytes = 0

  /** The number of entries. */
  get size(): number {
    return this.#size
  }

  /** The bytes of all of them: what an engine takes for its own. */
  get bytes(): number {
    return this.#bytes
  }

  add(entry: E): void {
    if (this.#levels === null && this.#few.length === FEW) {
      this.#levels = Array.from({ length: LEVELS }, () => new Map())
      for (const one of this.#few) addTo(this.#levels, one)
      this.#few.length = 0
    }
    if (this.#levels === null) this.#few.push(entry)
    else addTo(this.#levels, entry)
    this.#size += 1
    this.#bytes += entry.end - entry.start
  }

  /** Forgets an entry; one that is not there is no error: its buffer was detached before it was collected. */
  delete(entry: E): void {
    if (!(this.#levels === null ? dropFrom(this.#few, entry) : deleteFrom(this.#levels, entry))) return
    this.#size -= 1
    this.#bytes -= entry.end - entry.start
    if (this.#size === 0) this.#levels = null
  }

  /** The entries that touch [v, v+n). */
  touching(v: Address, n: number): readonly E[] {
    const end = v + n
    let found: E[] | null = null
    if (this.#levels === null) {
      for (const entry of this.#few) found = collect(entry, v, end, found)
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

/** Takes an entry out of a list that has no order; false: it is not there. */
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

/** False: it is not there. Thousands of small views lie in one granule, and may go in any order: none is looked for. */
function deleteFrom<E extends IndexEntry<E>>(levels: readonly Level<E>[], entry: E): boolean {
  const { next, previous } = entry
  if (previous !== null) previous.next = next
  else if (!dropFirst(levels, entry)) return false
  if (next !== null) next.previous = previous
  // It may be remembered for as long as its user keeps the buffer; its neighbours need not be.
  entry.next = null
  entry.previous = null
  return true
}

/** Lets the next one lead the granule; false: this one does not, and what neither leads nor follows is not there. */
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

/** Adds those of a granule that touch [v, end) to what is found. */
function collectAll<E extends IndexEntry<E>>(
  first: E | undefined,
  v: Address,
  end: Address,
  found: E[] | null,
): E[] | null {
  for (let entry = first ?? null; entry !== null; entry = entry.next) found = collect(entry, v, end, found)
  return found
}

/** Adds an entry that touches [v, end) to what is found; a list is made for the first. */
function collect<E extends IndexEntry<E>>(entry: E, v: Address, end: Address, found: E[] | null): E[] | null {
  if (!(entry.start < end && entry.end > v)) return found
  if (found === null) return [entry]
  found.push(entry)
  return found
}

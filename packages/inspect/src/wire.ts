// The form in which the server sends a snapshot to the page. Ranges are small numbers, which take a third of the time
// to write and to read. The log has only the operations that the page has not seen. The page turns it into the
// snapshot that it saves.
import type { OwnedRange } from '@memlayer/core'
import type { Snapshot } from './snapshot.js'

/** A snapshot in the form that the server sends. */
export interface Wire extends Omit<Snapshot, 'ranges'> {
  /**
   * Three numbers per range: the pages from the end of the range before, its own pages, and its kind. The kind is four
   * times its place in `categories` plus its state.
   */
  readonly packed: readonly number[]
  /** The number of operations before the first one in `log`. */
  readonly logFrom: number
  /** How many operations the log keeps. */
  readonly logMost: number
}

/** An answer of the server. */
export interface Answer extends Wire {
  /** Milliseconds that the answer before took the process. */
  readonly took: number
}

/** Packs ranges in order of address. */
export function pack(owned: readonly OwnedRange[], categories: readonly string[], pageSize: number): number[] {
  const placeOf = placesIn(categories)
  const packed: number[] = []
  let end = 0
  for (const { address, size, state, category } of owned) {
    packed.push((address - end) / pageSize, size / pageSize, 4 * placeOf(category) + numberOf(state))
    end = address + size
  }
  return packed
}

/** The ranges in a snapshot's form: four numbers per range. */
export function numbersOf(owned: readonly OwnedRange[], categories: readonly string[]): number[] {
  const placeOf = placesIn(categories)
  const numbers: number[] = []
  for (const { address, size, state, category } of owned)
    numbers.push(address, size, numberOf(state), placeOf(category))
  return numbers
}

/** Unpacks the ranges into a snapshot's form: four numbers per range. */
export function unpack(packed: ArrayLike<number>, pageSize: number): Float64Array {
  const ranges = new Float64Array((packed.length / 3) * 4)
  let end = 0
  for (let i = 0, at = 0; i < packed.length; i += 3, at += 4) {
    const [gap, size, kind] = [packed[i] as number, packed[i + 1] as number, packed[i + 2] as number]
    ranges[at] = end + gap * pageSize
    ranges[at + 1] = size * pageSize
    ranges[at + 2] = kind % 4
    ranges[at + 3] = Math.floor(kind / 4)
    end += (gap + size) * pageSize
  }
  return ranges
}

const numberOf = (state: OwnedRange['state']): number => (state === 'Ready' ? 3 : state === 'Prepared' ? 2 : 1)

function placesIn(categories: readonly string[]): (category: string | null) => number {
  const places = new Map<string | null, number>(categories.map((name, place) => [name, place]))
  places.set(null, 0)
  let last: string | null = null
  let place = 0
  return (category) => {
    // Neighbours are mostly in the same category.
    if (category !== last) [last, place] = [category, places.get(category) ?? 0]
    return place
  }
}

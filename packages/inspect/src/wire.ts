// A snapshot on its way to the page: ranges as small numbers, which are written and read in a third of the time, and
// of the log what the page has not seen. The page makes of it the snapshot that is saved.
import type { OwnedRange } from '@memlayer/core'
import type { Snapshot } from './snapshot.js'

/** A snapshot as the server sends it. */
export interface Wire extends Omit<Snapshot, 'ranges'> {
  /** Three numbers a range: pages from the end of the range before, pages, four times the place in `categories` plus the state. */
  readonly packed: readonly number[]
  /** How many operations there were before the first that `log` has. */
  readonly logFrom: number
  /** The operations that are kept at the most. */
  readonly logMost: number
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

/** Four numbers a range, as a snapshot has them. */
export function numbersOf(owned: readonly OwnedRange[], categories: readonly string[]): number[] {
  const placeOf = placesIn(categories)
  const numbers: number[] = []
  for (const { address, size, state, category } of owned)
    numbers.push(address, size, numberOf(state), placeOf(category))
  return numbers
}

/** Unpacks them into the four numbers a range that a snapshot has. */
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
    // Neighbours mostly count in the same.
    if (category !== last) [last, place] = [category, places.get(category) ?? 0]
    return place
  }
}

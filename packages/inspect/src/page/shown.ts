// A snapshot as the page holds it: its ranges as numbers side by side, read and written in slices, because
// JSON.parse of 100,000 ranges is one long halt.
import type { Snapshot } from '../snapshot.js'
import { unpack, type Wire } from '../wire.js'
import { inSlices } from './slices.js'

/** A snapshot whose ranges lie side by side. */
export interface Shown extends Omit<Snapshot, 'ranges'> {
  /** Four numbers a range, as in a snapshot. */
  readonly ranges: Float64Array
}

// Within a text of JSON's a quote is escaped, so that nothing but a key reads like this.
const [inFile, onTheWire] = ['"ranges":[', '"packed":[']
const PIECE = 2 ** 15

/** Reads a snapshot that was saved; null: it is none. */
export async function readShown(text: string): Promise<Shown | null> {
  const read = await readNumbers<Snapshot>(text, inFile)
  if (read === null) return null
  // Somebody may have formatted it: then it was read as a whole.
  return { ...read.rest, ranges: read.numbers ?? Float64Array.from(read.rest.ranges) }
}

/** What came from the server. */
export interface Received {
  /** The snapshot, whose log is what was not seen before. */
  readonly shown: Shown
  /** How many operations there were before those. */
  readonly logFrom: number
  /** The operations that are kept at the most. */
  readonly logMost: number
}

/** Reads what the server sends; null: it is something else. */
export async function receiveShown(text: string): Promise<Received | null> {
  const read = await readNumbers<Wire>(text, onTheWire)
  if (read === null) return null
  const { packed, logFrom, logMost, ...rest } = read.rest
  return { shown: { ...rest, ranges: unpack(read.numbers ?? packed, rest.pageSize) }, logFrom, logMost }
}

interface Read<T> {
  readonly rest: T
  readonly numbers: Float64Array | null
}

/** The numbers after `key` in slices, and the rest, in which they are left out; null: this is no snapshot. */
async function readNumbers<T extends { readonly format: string; readonly version: number }>(
  text: string,
  key: string,
): Promise<Read<T> | null> {
  const at = text.indexOf(key)
  const end = at < 0 ? -1 : text.indexOf(']', at)
  const rest = JSON.parse(end < 0 ? text : text.slice(0, at + key.length) + text.slice(end)) as T | null
  if (typeof rest !== 'object' || rest?.format !== 'memlayer-snapshot' || rest.version !== 1) return null
  return { rest, numbers: end < 0 ? null : await inSlices(numbersIn(text, at + key.length, end)) }
}

function* numbersIn(text: string, from: number, to: number): Generator<void, Float64Array> {
  const pieces: number[][] = []
  let count = 0
  while (from < to) {
    const comma = from + PIECE >= to ? to : text.indexOf(',', from + PIECE)
    const end = comma < 0 || comma > to ? to : comma
    const piece = JSON.parse(`[${text.slice(from, end)}]`) as number[]
    pieces.push(piece)
    count += piece.length
    from = end + 1
    yield
  }
  const numbers = new Float64Array(count)
  let at = 0
  for (const piece of pieces) {
    numbers.set(piece, at)
    at += piece.length
  }
  return numbers
}

/** Writes it as the JSON that `readShown` reads, in pieces. */
export async function writeShown({ ranges, ...rest }: Shown): Promise<string[]> {
  const before = JSON.stringify({ ranges: [], ...rest })
  const pieces = await inSlices(
    (function* (): Generator<void, string[]> {
      const made = [before.slice(0, before.indexOf(inFile) + inFile.length)]
      for (let i = 0; i < ranges.length; i += 4096) {
        made.push(`${i === 0 ? '' : ','}${ranges.subarray(i, i + 4096).join(',')}`)
        yield
      }
      made.push(before.slice(before.indexOf(inFile) + inFile.length))
      return made
    })(),
  )
  return pieces ?? []
}

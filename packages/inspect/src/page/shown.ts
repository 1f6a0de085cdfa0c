// The page's form of a snapshot: its ranges are one array of numbers. They are read and written in slices, because
// JSON.parse of 100,000 ranges blocks the page for a long time.
import { snapshotVersion, type Snapshot } from '../snapshot.js'
import { unpack, type Answer } from '../wire.js'
import { inSlices } from './slices.js'

/** A snapshot whose ranges are one array of numbers. */
export interface Shown extends Omit<Snapshot, 'ranges'> {
  /** Four numbers per range, as in a snapshot. */
  readonly ranges: Float64Array
}

// JSON escapes a quote inside a string, so only a key can look like this.
const [inFile, onTheWire] = ['"ranges":[', '"packed":[']
const PIECE = 2 ** 15

/** Reads a saved snapshot. A text says why it can't: what the file is. */
export async function readShown(text: string): Promise<Shown | string> {
  const read = await readNumbers<Snapshot>(text, inFile)
  if (typeof read === 'string') return read
  // A user may have reformatted the file. Then the ranges were parsed as a whole.
  return { ...read.rest, ranges: read.numbers ?? Float64Array.from(read.rest.ranges) }
}

/** An answer of the server. */
export interface Received {
  /** The snapshot. Its log has only the new operations. */
  readonly shown: Shown
  /** The number of operations before those. */
  readonly logFrom: number
  /** How many operations the log keeps. */
  readonly logMost: number
  /** Milliseconds that the answer before took the process. */
  readonly took: number
}

/** Reads an answer of the server. A text says what it is instead. */
export async function receiveShown(text: string): Promise<Received | string> {
  const read = await readNumbers<Answer>(text, onTheWire)
  if (typeof read === 'string') return read
  const { packed, logFrom, logMost, took, ...rest } = read.rest
  return { shown: { ...rest, ranges: unpack(read.numbers ?? packed, rest.pageSize) }, logFrom, logMost, took }
}

interface Read<T> {
  readonly rest: T
  readonly numbers: Float64Array | null
}

/** Reads the numbers after `key` in slices, and then the rest without them. A text says what it is instead. */
async function readNumbers<T extends { readonly format: string; readonly version: number }>(
  text: string,
  key: string,
): Promise<Read<T> | string> {
  const at = text.indexOf(key)
  const end = at < 0 ? -1 : text.indexOf(']', at)
  const rest = JSON.parse(end < 0 ? text : text.slice(0, at + key.length) + text.slice(end)) as T | null
  if (typeof rest !== 'object' || rest?.format !== 'memlayer-snapshot') return 'not a snapshot of memlayer'
  if (rest.version !== snapshotVersion)
    return `a snapshot of version ${rest.version}, and this page reads version ${snapshotVersion}`
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

/** Writes a snapshot as the JSON that `readShown` reads, in pieces. */
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

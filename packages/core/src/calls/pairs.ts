// Lists of ranges, as pairs of numbers: where each begins and its size, one after the other.
import { UsageError } from '../errors.js'
import { show } from '../text.js'

/**
 * How many numbers a list has.
 *
 * @throws UsageError ERR_MEMLAYER_SIZE unless it is a list of pairs.
 */
export function countOf(op: string, ranges: ArrayLike<number>): number {
  const length: unknown = typeof ranges === 'object' && ranges !== null ? ranges.length : undefined
  if (typeof length === 'number' && Number.isSafeInteger(length) && length >= 0 && length % 2 === 0) return length
  const hint = 'Pass a list with the start and the size of each range, one after the other.'
  const isList = typeof length === 'number' && Number.isSafeInteger(length) && length >= 0
  const what = isList ? `the list has ${length} numbers, which are not pairs` : `${show(ranges)} is not a list`
  throw new UsageError('ERR_MEMLAYER_SIZE', `${op}: ${what}`, { op, hint })
}

/**
 * Room for as many numbers.
 *
 * @throws UsageError ERR_MEMLAYER_SIZE
 */
export function roomFor(op: string, length: number): Float64Array {
  try {
    return new Float64Array(length)
  } catch {
    const hint = 'Give back fewer ranges at once.'
    throw new UsageError('ERR_MEMLAYER_SIZE', `${op}: the engine has no memory for a list of ${length} numbers`, {
      op,
      hint,
    })
  }
}

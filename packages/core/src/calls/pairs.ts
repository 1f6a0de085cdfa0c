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
  const hint = 'Pass where each range begins and its size, one after the other.'
  throw new UsageError('ERR_MEMLAYER_SIZE', `${op}: ${show(length)} numbers do not make pairs`, { op, hint })
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
    throw new UsageError('ERR_MEMLAYER_SIZE', `${op}: there is no room for ${length} numbers`, { op, hint })
  }
}

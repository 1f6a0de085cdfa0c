// Many ranges given back at once: checked and moved as one, in as few kernel calls as the
// backend can make of it.
import type { Address } from '@memlayer/kernel'
import type { Account } from './account.js'
import { checkAddress, checkSize, show } from './check.js'
import { UsageError } from './errors.js'
import { FROM_READY, PREPARED, READY, type Ledger } from './ledger.js'
import type { OS } from './os.js'
import type { Regions } from './regions.js'

const OP = 'sysUnused'

/**
 * Pairs of address and size, checked and copied: what is checked is what is done.
 *
 * @throws UsageError ERR_MEMLAYER_SIZE, ERR_MEMLAYER_ADDRESS, ERR_MEMLAYER_ALIGNMENT
 */
export function pairsOf(ranges: ArrayLike<number>, align: number): Float64Array {
  const length = countOf(ranges)
  const pairs = numbers(length)
  for (let i = 0; i < length; i += 2) {
    const v = ranges[i] as number
    const n = ranges[i + 1] as number
    checkSize(OP, n, 0, align)
    checkAddress(OP, v, n, align)
    pairs[i] = v
    pairs[i + 1] = n
  }
  return pairs
}

/**
 * How many numbers there are: two for each range.
 *
 * @throws UsageError ERR_MEMLAYER_SIZE
 */
export function countOf(ranges: ArrayLike<number>): number {
  const length: unknown = typeof ranges === 'object' && ranges !== null ? ranges.length : undefined
  if (typeof length === 'number' && Number.isSafeInteger(length) && length >= 0 && length % 2 === 0) return length
  throw new UsageError('ERR_MEMLAYER_SIZE', `sysUnusedAll: ${show(length)} numbers make no pairs`, {
    op: OP,
    hint: 'Pass where each range begins and its size, one after the other.',
  })
}

/**
 * Room for as many numbers.
 *
 * @throws UsageError ERR_MEMLAYER_SIZE
 */
export function numbers(length: number): Float64Array {
  try {
    return new Float64Array(length)
  } catch {
    throw new UsageError('ERR_MEMLAYER_SIZE', `sysUnusedAll: ${length} numbers are more than there is room for`, {
      op: OP,
      hint: 'Give back fewer ranges at once.',
    })
  }
}

/**
 * Ready to Prepared for every pair, if `afford`, which is asked when all are found to be Ready, does not throw. Where the OS breaks half
 * way, what was not given back is Ready as before. Who observes hears of it when it is over, or when all is as it was.
 */
export function unusedAll(
  os: OS,
  ledger: Ledger,
  regions: Regions,
  account: Account,
  pairs: Float64Array,
  afford: () => void,
): void {
  const failed = (i: number, error: unknown): unknown => {
    const v = pairs[i] as Address
    return account.failed(OP, v, pairs[i + 1] as number, ledger.categoryAt(v), error)
  }
  let given: GivenBack
  try {
    given = giveBackAll(os, ledger, regions, pairs, afford)
  } catch (error) {
    throw error instanceof UsageError ? error : failed(0, error)
  }
  const { done, error } = given
  let thrown: unknown = null
  account.together(() => {
    for (let i = 0; i < done; i += 2) {
      const v = pairs[i] as Address
      if (pairs[i + 1] !== 0) account.done(OP, v, pairs[i + 1] as number, ledger.categoryAt(v))
    }
    if (error !== null) thrown = failed(done, error)
  })
  if (thrown !== null) throw thrown
}

/** How far it came. */
interface GivenBack {
  /** How many of the numbers were given back. */
  readonly done: number
  /** What the OS broke with; null: nothing. */
  readonly error: unknown
}

function giveBackAll(os: OS, ledger: Ledger, regions: Regions, pairs: Float64Array, afford: () => void): GivenBack {
  // Each range is Prepared as soon as it is found to be Ready, so that a page given twice is found out.
  let moved = 0
  try {
    for (; moved < pairs.length; moved += 2) {
      const n = pairs[moved + 1] as number
      if (n === 0) continue
      const v = pairs[moved] as number
      const held = ledger.expect(OP, v, n, FROM_READY)
      if (regions.isLeaving) regions.expectStays(OP, v, n)
      ledger.move(v, n, PREPARED, held)
    }
    if (moved > 0) afford()
    regions.takeAwayAll(OP, pairs)
  } catch (error) {
    moveBack(ledger, pairs, 0, moved)
    throw error
  }
  let done = 0
  try {
    if (os.sysUnusedAllOS?.(pairs) === true) return { done: moved, error: null }
    for (; done < pairs.length; done += 2) {
      if (pairs[done + 1] !== 0) os.sysUnusedOS(pairs[done] as number, pairs[done + 1] as number)
    }
  } catch (error) {
    moveBack(ledger, pairs, done, moved)
    return { done, error }
  }
  return { done, error: null }
}

function moveBack(ledger: Ledger, pairs: Float64Array, from: number, end: number): void {
  for (let i = from; i < end; i += 2) {
    const n = pairs[i + 1] as number
    if (n !== 0) ledger.move(pairs[i] as number, n, READY)
  }
}

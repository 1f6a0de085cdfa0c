// Many ranges given back at once: proved as one, and done in as few kernel calls as the backend can make of it.
import type { Address } from '@memlayer/kernel'
import { checkAddress, checkSize } from '../check.js'
import { addHint, UsageError } from '../errors.js'
import { FROM_READY, PREPARED, type Packed } from '../ledger/states.js'
import { formatAddress } from '../text.js'
import { countOf, roomFor } from './pairs.js'
import { renew, unuse } from './give-back.js'
import type { Parts } from './parts.js'
import { expectOpen, failed, settle } from './settle.js'

/** What observers hear of, once a range. */
const OP = 'sysUnused'
/** What was called. */
const CALLED = 'sysUnusedAll'

/**
 * Pairs of address and size, checked and copied, so that what was checked is what is done. Ranges of no bytes are
 * left out.
 *
 * @throws UsageError ERR_MEMLAYER_SIZE, ERR_MEMLAYER_ADDRESS, ERR_MEMLAYER_ALIGNMENT
 */
export function pairsOf(ranges: ArrayLike<number>, align: number): Float64Array {
  const length = countOf(CALLED, ranges)
  const pairs = roomFor(CALLED, length)
  let end = 0
  for (let i = 0; i < length; i += 2) {
    const v = ranges[i] as number
    const n = ranges[i + 1] as number
    checkSize(CALLED, n, 0, align)
    checkAddress(CALLED, v, n, align)
    if (n === 0) continue
    pairs[end] = v
    pairs[end + 1] = n
    end += 2
  }
  return end === length ? pairs : pairs.slice(0, end)
}

/**
 * Ready to Prepared for every range. If the OS breaks half way, the ranges before are Prepared, and the others Ready.
 * Observers hear of all of it when it is over.
 */
export function unusedAll(parts: Parts, ranges: ArrayLike<number>): void {
  const { ledger, account, budget, borrows, intent } = parts
  if (intent.isOpen) settle(parts)
  const pairs = pairsOf(ranges, parts.os.traits.pageSize)
  if (pairs.length === 0) return
  let packed = proveAll(parts, pairs)
  const categoryAt = (i: number): number => ledger.categoryOf(packed[i / 2] as Packed, pairs[i] as Address)
  const failedAt = (i: number, error: unknown): unknown =>
    failed(parts, OP, pairs[i] as Address, pairs[i + 1] as number, categoryAt(i), error)
  try {
    budget.unused(CALLED, pairs[1] as number, pairs.length / 2)
    let { version } = ledger
    borrows.endAll(CALLED, pairs)
    // Code that ran meanwhile has operated on this memory.
    while (version !== ledger.version) {
      packed = proveAll(parts, pairs)
      version = ledger.version
      borrows.endAll(CALLED, pairs)
    }
  } catch (error) {
    throw failedAt(0, error)
  }
  const { done, failure } = giveBackAll(parts, pairs)
  for (let i = 0; i < done; i += 2) {
    ledger.move(pairs[i] as Address, pairs[i + 1] as number, PREPARED, packed[i / 2])
  }
  if (failure === null) intent.end()
  else if (failure.at !== undefined && intent.isOpen) {
    // The ranges after it were not begun with.
    intent.begin(PREPARED, pairs[failure.at] as Address, pairs[failure.at + 1] as number)
  }
  let thrown: unknown
  account.together(() => {
    for (let i = 0; i < done; i += 2) account.done(OP, pairs[i] as Address, pairs[i + 1] as number, categoryAt(i))
    if (failure === null) return
    thrown = failedAt(done, failure.error)
    if (done > 0) addHint(thrown, `The first ${done / 2} of ${pairs.length / 2} ranges were given back.`)
  })
  if (failure !== null) throw thrown
}

/** What the ledger has for each range. */
function proveAll({ ledger }: Parts, pairs: Float64Array): Int32Array {
  const packed = new Int32Array(pairs.length / 2)
  let isInOrder = true
  for (let i = 0; i < pairs.length; i += 2) {
    const v = pairs[i] as Address
    const n = pairs[i + 1] as number
    packed[i / 2] = ledger.expect(CALLED, v, n, FROM_READY)
    if (i > 0 && v < (pairs[i - 2] as number) + (pairs[i - 1] as number)) isInOrder = false
  }
  if (!isInOrder) expectApart(pairs)
  return packed
}

/** @throws UsageError ERR_MEMLAYER_STATE when two ranges overlap. */
function expectApart(pairs: Float64Array): void {
  const order = Uint32Array.from({ length: pairs.length / 2 }, (_, i) => 2 * i)
  order.sort((a, b) => (pairs[a] as number) - (pairs[b] as number))
  for (let i = 1; i < order.length; i++) {
    const before = order[i - 1] as number
    const at = order[i] as number
    const v = pairs[at] as Address
    if (v >= (pairs[before] as number) + (pairs[before + 1] as number)) continue
    const n = pairs[at + 1] as number
    const hint = 'Merge the ranges that overlap, so that every page is passed once.'
    const message = `${CALLED}(${formatAddress(v)}, ${n}): this range overlaps another range of the list`
    throw new UsageError('ERR_MEMLAYER_STATE', message, { op: CALLED, address: v, size: n, hint })
  }
}

/** How far the OS came. */
interface GivenBack {
  /** How many of the numbers it was done with. */
  readonly done: number
  /** What it broke with; null: it did not. */
  readonly failure: Failure | null
}

interface Failure {
  readonly error: unknown
  /** Which of the numbers it broke at; absent: it broke with all of them. */
  readonly at?: number
}

function giveBackAll(parts: Parts, pairs: Float64Array): GivenBack {
  const { os, intent } = parts
  const [v, n] = [pairs[0] as Address, pairs[1] as number]
  let done = 0
  // The intent is about all of them, until all that was done is recorded.
  intent.beginAll(PREPARED, pairs)
  if (parts.isLazy) {
    for (let i = 0; i < pairs.length; i += 2) parts.idle.add(pairs[i] as Address, pairs[i + 1] as number)
    parts.scavenger.wake()
    return { done: pairs.length, failure: null }
  }
  try {
    const isDone = os.sysUnusedAllOS?.(pairs) === true
    expectOpen(parts, PREPARED, OP, v, n, pairs)
    if (isDone) return { done: pairs.length, failure: null }
  } catch (error) {
    return { done, failure: { error } }
  }
  try {
    for (; done < pairs.length; done += 2) {
      unuse(parts, pairs[done] as Address, pairs[done + 1] as number)
      if (os.refusal) renew(parts, pairs[done] as Address, pairs[done + 1] as number)
      expectOpen(parts, PREPARED, OP, v, n, pairs)
    }
  } catch (error) {
    return { done, failure: { error, at: done } }
  }
  return { done, failure: null }
}

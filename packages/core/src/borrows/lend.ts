// A lend: hold, view and release in one, around a function that is given the views. A region, a buffer and a share
// have one each; what differs between them is the Lender.
import { UsageError } from '../errors.js'
import { show } from '../text.js'
import type { ViewConstructor, ViewOf } from './view-types.js'

/** Who lends. */
export interface Lender {
  /** Its name in messages. */
  readonly name: string
  /** A view of `length` elements at `offset`, whose pages stay Ready until it is given back. */
  lendOne<T extends ArrayBufferView>(type: ViewConstructor<T>, offset: number, length?: number): Lent<T>
}

/** One view that is lent. */
export interface Lent<T extends ArrayBufferView> {
  readonly view: ViewOf<T>
  /** Ends the view. @throws UsageError ERR_MEMLAYER_VIEW when its bytes were moved. */
  readonly end: () => void
  /** Lets the pages go. */
  readonly release: () => void
}

/** Lends one view until what `use` returns has settled. */
export async function lend<T extends ArrayBufferView, R>(
  lender: Lender,
  type: ViewConstructor<T>,
  offset: number,
  length: number | undefined,
  use: (view: ViewOf<T>) => R | PromiseLike<R>,
): Promise<R> {
  expectFunction('lend', lender.name, use)
  const lent = lender.lendOne(type, offset, length)
  return until([lent], () => use(lent.view))
}

/** Lends a view for each pair of an offset and a length until what `use` returns has settled. */
export async function lendAll<T extends ArrayBufferView, R>(
  lender: Lender,
  type: ViewConstructor<T>,
  ranges: ArrayLike<number>,
  use: (views: ViewOf<T>[]) => R | PromiseLike<R>,
): Promise<R> {
  expectFunction('lendAll', lender.name, use)
  const lent: Lent<T>[] = []
  try {
    for (const [offset, length] of pairsOf(lender.name, ranges)) lent.push(lender.lendOne(type, offset, length))
  } catch (error) {
    giveBack(lent)
    throw error
  }
  return until(lent, () => use(lent.map(({ view }) => view)))
}

async function until<T extends ArrayBufferView, R>(lent: Lent<T>[], use: () => R | PromiseLike<R>): Promise<R> {
  let result: R
  try {
    result = await use()
  } catch (error) {
    // Its own error says more than that a view was moved. The next operation on the pages tells of that.
    void giveBack(lent)
    throw error
  }
  const moved = giveBack(lent)
  if (moved !== null) throw moved
  return result
}

/** Ends every view and releases every hold. Returns the first error; null: all views ended. */
function giveBack(lent: Lent<ArrayBufferView>[]): Error | null {
  let failed: Error | null = null
  for (const { end, release } of lent) {
    try {
      end()
    } catch (error) {
      failed ??= error as Error
    }
    release()
  }
  return failed
}

function expectFunction(op: string, name: string, use: unknown): void {
  if (typeof use === 'function') return
  throw new UsageError('ERR_MEMLAYER_OPTION', `${op}: the function to call is ${show(use)}`, {
    op,
    region: name,
    hint: 'Pass a function that takes the view, and returns a promise that settles when the view is not used any more.',
  })
}

/** The pairs, read before anything is lent: a list can have getters, whose code may do anything. */
function pairsOf(name: string, ranges: ArrayLike<number>): (readonly [number, number])[] {
  const given: unknown = (ranges as ArrayLike<number> | null | undefined)?.length
  if (!(typeof given === 'number' && Number.isSafeInteger(given) && given >= 0 && given % 2 === 0)) {
    throw new UsageError('ERR_MEMLAYER_SIZE', `lendAll: the list has ${show(given)} numbers, not pairs`, {
      op: 'lendAll',
      region: name,
      hint: 'Pass an offset and a length for each range, one after the other.',
    })
  }
  const pairs: (readonly [number, number])[] = []
  for (let i = 0; i < given; i += 2) pairs.push([ranges[i] as number, ranges[i + 1] as number])
  return pairs
}

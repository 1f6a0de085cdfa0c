// How a region lends views: what borrows/lend.ts asks of it.
import type { Address } from '@memlayer/kernel'
import type { Lender, Lent } from '../borrows/lend.js'
import { elementSize, type ViewConstructor } from '../borrows/view-types.js'
import type { RegionCalls } from '../calls/region-calls.js'
import type { RegionRecord } from '../claims/region-record.js'
import type { Holding, Maker } from '../holding.js'
import type { Region } from './region.js'

/** What a region knows of its own ranges. */
export interface Within {
  readonly record: RegionRecord
  /** The address of an offset, when [offset, offset+length) lies within the region. */
  readonly at: (offset: number, length: number) => Address
  /** An error of a call below, in the words of the region's method. */
  readonly told: (error: unknown, offset: number, length: number) => unknown
  /** Who makes a hold there; null: the pages are held already. */
  readonly maker: ((offset: number) => Maker) | null
}

/** Lends views of `region`, in the name of its method `op`. */
export function lenderOf(calls: RegionCalls, region: Region, op: Holding['kind'], within: Within): Lender {
  return { name: region.name, lendOne: (...given) => lendOne(calls, region, op, within, ...given) }
}

function lendOne<T extends ArrayBufferView>(
  calls: RegionCalls,
  region: Region,
  op: Holding['kind'],
  { record, at, told, maker }: Within,
  type: ViewConstructor<T>,
  offset: number,
  length: number | undefined,
): Lent<T> {
  const element = elementSize(op, type)
  const rest = typeof offset === 'number' ? region.size - offset : NaN
  const count = length === undefined ? Math.floor(rest / element) : length
  const bytes = typeof count === 'number' ? count * element : NaN
  const v = at(offset, bytes)
  try {
    // The view comes first, because it proves its arguments. It runs no code but the type's own.
    // Its end detaches its buffer, so no other view may be on it.
    const view = calls.view(type, element, v, count, region, true)
    const hold = maker === null ? null : calls.hold(maker(offset), v, bytes)
    const end = (): void => {
      try {
        calls.endView(op, record, v, bytes, view.buffer)
      } catch (error) {
        throw told(error, offset, count)
      }
    }
    return { view, end, release: () => hold?.release() }
  } catch (error) {
    throw told(error, offset, count)
  }
}

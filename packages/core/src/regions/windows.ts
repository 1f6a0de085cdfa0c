// A window: a view on a buffer that its region keeps, over all Ready pages around it. A new buffer counts in full for
// the garbage collector, and a GiB of it is a full collection. So code that views a large range again and again, as one
// that grows, asks for windows: one on pages that the kept buffer covers makes no buffer.
import { isDetached, type Address } from '@memlayer/kernel'
import { UsageError } from '../errors.js'
import { viewOver, type ViewConstructor, type ViewOf } from '../borrows/view-types.js'
import type { RegionCalls } from '../calls/region-calls.js'

/** What windows are on. It lives as long as a view of it. */
interface Whole {
  readonly address: Address
  readonly size: number
}

/** A buffer over Ready pages. It is detached before any of them leaves Ready. */
interface Kept {
  readonly buffer: ArrayBuffer
  readonly start: Address
  readonly end: Address
}

/** The buffer that a region keeps for its windows. */
export class Windows {
  // One object, so that a script which ends here leaves a buffer with its own range, or the one before.
  #kept: Kept | null = null

  /** A view of `length` elements at `v`. */
  view<T extends ArrayBufferView>(
    calls: RegionCalls,
    region: Whole,
    type: ViewConstructor<T>,
    element: number,
    v: Address,
    length: number,
  ): ViewOf<T> {
    calls.expectElements(type, element, v, length)
    const end = v + length * element
    const kept = length === 0 ? null : (covering(this.#kept, v, end) ?? this.#keep(calls, region, v, end))
    // A hook of the engine may have ended it already.
    if (kept === null || isDetached(kept.buffer)) return calls.view(type, element, v, length, region)
    return viewOver(type, kept.buffer, v - kept.start, length) as ViewOf<T>
  }

  /** Makes a buffer over the Ready pages around [v, end). Null: there is none so long, or one serves all ranges. */
  #keep(calls: RegionCalls, region: Whole, v: Address, end: Address): Kept | null {
    if (calls.ops.os.detach !== undefined) return null
    const [start, stop] = calls.readyAround(v, end - v, region.address, region.size)
    try {
      const { buffer } = calls.view(Uint8Array, 1, start, stop - start, region, true)
      return (this.#kept = { buffer, start, end: stop })
    } catch (error) {
      if (error instanceof UsageError && error.code === 'ERR_MEMLAYER_VIEW') return null
      throw error
    }
  }
}

function covering(kept: Kept | null, v: Address, end: Address): Kept | null {
  return kept !== null && v >= kept.start && end <= kept.end && !isDetached(kept.buffer) ? kept : null
}

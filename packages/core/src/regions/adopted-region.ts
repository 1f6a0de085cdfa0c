// A region over a buffer that other code allocated. The bytes are that code's: they are there before the region, and
// after it.
import type { SysMemStat } from '../account/mem-stat.js'
import type { RegionCalls } from '../calls/region-calls.js'
import type { RegionRecord } from '../claims/region-record.js'
import type { Memory } from '../memory.js'
import { Region } from './region.js'
import { viewOffset } from '@memlayer/kernel'

/**
 * The whole pages of a buffer, Ready from the start with the bytes that they have. Every call looks first whether the
 * buffer still has them: one that was transferred, has shrunk or has moved frees the region, and the call throws
 * ERR_MEMLAYER_DISPOSED. Holds end with the pages. A WebAssembly memory that grows keeps its place; what it gained is
 * not of the region.
 */
export class AdoptedRegion extends Region {
  readonly #calls: RegionCalls
  readonly #bufferNow: () => ArrayBufferLike
  readonly #record: RegionRecord

  /** @internal */
  constructor(
    calls: RegionCalls,
    memory: Memory,
    record: RegionRecord,
    stat: SysMemStat,
    bufferNow: () => ArrayBufferLike,
  ) {
    super(calls, memory, record, stat)
    this.#calls = calls
    this.#bufferNow = bufferNow
    this.#record = record
  }

  /** The buffer that has the bytes now. */
  get buffer(): ArrayBufferLike {
    return this.#bufferNow()
  }

  /** Where in the buffer the region begins, in bytes: the first whole page. NaN once the buffer has not got it. */
  get byteOffset(): number {
    return this.#record.isThere?.() === true ? viewOffset(this.buffer, this.address, this.size) : NaN
  }

  /**
   * Any state to None: takes all of it out of the account. The buffer stays with its bytes. What was `unused` reads
   * zero, and all of it can be touched. A second time does nothing, nor does it where the buffer was transferred.
   *
   * @throws UsageError ERR_MEMLAYER_SHARED while a worker or a hold has pages of it.
   */
  release(): void {
    this.#calls.endLost(this.#record)
    if (!this.disposed) this.freeAll('release')
  }

  /** `release()`, at the end of a `using` block. */
  override [Symbol.dispose](): void {
    this.release()
  }
}

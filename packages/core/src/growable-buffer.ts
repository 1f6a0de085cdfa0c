// A buffer that grows where it stands: address space for its largest size is reserved at once,
// memory is mapped as it grows. It answers to nothing in Go; it is a Region and one number.
import { alignUp, alignDown, type Address } from '@memlayer/kernel'
import { checkOptions, show } from './check.js'
import { UsageError } from './errors.js'
import type { HugePagePolicy } from './huge-pages.js'
import type { SysMemStat } from './mem-stat.js'
import type { Memory } from './memory.js'
import type { Region } from './region.js'
import { spanOf, type ViewConstructor } from './views.js'

// Growth goes by steps of this many bytes: memory is taken only as it is touched, kernel calls are not.
const STEP = 2 ** 20
// From so many huge pages on it lies and grows by whole ones, which the OS can then use: the eighth of its bytes
// that this takes ahead, at the most, is a small price. One that is shorter would pay a huge page for a few bytes.
const HUGE_FROM = 8

/** How a growable buffer is made. */
export interface GrowableBufferOptions {
  /** The most bytes it may ever have: address space, which costs nothing. Rounded up to whole pages. */
  readonly maximum: number
  /** The bytes it begins with. Default 0. */
  readonly length?: number
  /** What people call it, and its category unless `stat` is given. Default `'buffer'`. */
  readonly name?: string
  /** The category that counts its bytes. */
  readonly stat?: SysMemStat
  /** What is asked for as to huge pages. Default `'default'`. */
  readonly hugePages?: HugePagePolicy
}

/**
 * Bytes that grow in place: no copy, its address stays, views made before stay valid. Shrinking gives the
 * tail back to the OS, `discard` a hole in the middle. Declare it with `using`, or call `free()`.
 */
export class GrowableBuffer {
  readonly #region: Region
  readonly #page: number
  /** Bytes of a huge page; 0: there is none, or none is wanted. */
  readonly #huge: number
  readonly #maximum: number
  #length = 0
  // Up to here pages are Ready; beyond they are Reserved or Prepared.
  #ready = 0
  // Up to here pages have been Ready at some time.
  #used = 0
  // Whether pages below #ready are Prepared: those that were discarded when the OS refused to have them used again.
  #isTorn = false
  #isChanging = false

  /**
   * @throws UsageError ERR_MEMLAYER_SIZE for a maximum or a length that is no size.
   * @throws OutOfMemoryError when the address space or the first bytes can't be had.
   */
  constructor(memory: Memory, options: GrowableBufferOptions) {
    checkOptions('GrowableBuffer', options)
    const { maximum, length = 0, name = 'buffer', hugePages = 'default', stat } = options
    checkLength('maximum', maximum, Number.MAX_SAFE_INTEGER, 1)
    checkLength('length', length, maximum, 0)
    const { pageSize, hugePageSize } = memory.os.traits
    this.#page = pageSize
    this.#huge = hugePages === 'off' ? 0 : hugePageSize
    this.#maximum = alignUp(maximum, pageSize)
    const align = this.#isLarge(maximum) ? this.#huge : undefined
    this.#region = memory.reserve(this.#maximum, {
      name,
      hugePages,
      ...(align === undefined ? {} : { align }),
      ...(stat === undefined ? {} : { stat }),
    })
    try {
      this.resize(length)
    } catch (error) {
      this.#region.free()
      throw error
    }
  }

  /** Where it begins; it never moves. */
  get address(): Address {
    return this.#region.address
  }

  /** Its bytes. */
  get length(): number {
    return this.#length
  }

  /** The most bytes it may have: the maximum in whole pages. */
  get maximum(): number {
    return this.#maximum
  }

  /** Bytes that it can grow to without asking the OS. */
  get capacity(): number {
    return this.#ready
  }

  /** The region below. */
  get region(): Region {
    return this.#region
  }

  /**
   * Makes it `length` bytes long. New bytes read zero. Growing keeps every view; shrinking detaches the views
   * over pages that go back to the OS, whole pages beyond the new end.
   *
   * @throws UsageError ERR_MEMLAYER_SIZE beyond the maximum.
   * @throws OutOfMemoryError or FatalError when the OS has no memory; the length is then as before.
   */
  resize(length: number): void {
    checkLength('length', length, this.#maximum, 0)
    this.#change('resize', () => {
      if (length > this.#length) this.#growTo(length)
      else this.#shrinkTo(alignUp(length, this.#page))
      this.#length = length
    })
  }

  /** Makes it longer by `bytes`. Returns the length before: where the new bytes begin. */
  grow(bytes: number): number {
    checkLength('number of bytes to grow by', bytes, Number.MAX_SAFE_INTEGER, 0)
    const before = this.#length
    this.resize(before + bytes)
    return before
  }

  /**
   * Zeroes [offset, offset+length) and gives the whole pages in it back to the OS; they return on the next
   * touch, and stay Ready in the account. Views over those pages are detached: make them anew. Calls do not
   * add up: a range without a whole page in it is zeroed, and nothing of it is given back.
   */
  discard(offset: number, length: number): void {
    this.#check('discard', offset, length)
    const from = alignUp(offset, this.#page)
    const end = alignDown(offset + length, this.#page)
    this.#change('discard', () => {
      if (from >= end) return this.#zero(offset, offset + length)
      this.#region.unused(from, end - from)
      this.#isTorn = true
      // From here on it is discarded, whatever comes: what is refused may be had later.
      this.#zero(offset, from)
      this.#zero(end, offset + length)
      this.#mend()
      // Where the OS may bring old bytes back, the promise of zeroes is kept by hand.
      if (!this.#region.memory.os.traits.unusedDropsContents) this.#zero(from, end)
    })
  }

  /** A typed array or DataView over `length` elements at `offset`; see {@link Region.view}. */
  view<T extends object>(type: ViewConstructor<T>, offset: number, length: number): T {
    this.#check('view', offset, spanOf(type, length))
    if (this.#isTorn) this.#mend()
    return this.#region.view(type, offset, length)
  }

  /** All of it, as bytes. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.view<Uint8Array<ArrayBuffer>>(Uint8Array, 0, this.#length)
  }

  /** Gives everything back; its views are detached. */
  free(): void {
    this.#region[Symbol.dispose]()
    this.#length = this.#ready = this.#used = 0
  }

  /** `free()`, at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.free()
  }

  /**
   * Makes a change that nothing else comes between.
   *
   * @throws UsageError ERR_MEMLAYER_STATE within another, as an observer is that hears of its steps.
   */
  #change(op: string, change: () => void): void {
    if (this.#isChanging) {
      throw new UsageError(
        'ERR_MEMLAYER_STATE',
        `${op}: the buffer '${this.#region.name}' is being resized, or a part of it discarded`,
        {
          op,
          hint: 'Do it when that is over: an observer can leave it to queueMicrotask.',
        },
      )
    }
    this.#isChanging = true
    try {
      if (this.#isTorn) this.#mend()
      change()
    } finally {
      this.#isChanging = false
    }
  }

  /** Makes Ready again what was discarded and could not be had back. */
  #mend(): void {
    this.#region.commit(0, this.#ready)
    this.#isTorn = false
  }

  #growTo(length: number): void {
    if (length > this.#ready) {
      const step = Math.max(STEP, this.#page, this.#isLarge(length) ? this.#huge : 0)
      const end = Math.min(alignUp(length, step), this.#maximum)
      this.#region.commit(this.#ready, end - this.#ready)
      // Where the OS may bring old bytes back, the promise of zeroes is kept by hand.
      if (!this.#region.memory.os.traits.unusedDropsContents) this.#zero(this.#ready, Math.min(this.#used, end))
      this.#ready = end
      if (end > this.#used) this.#used = end
    }
    // What is left of the last page was never given back, and an old view may have written there.
    this.#zero(this.#length, Math.min(alignUp(this.#length, this.#page), length))
  }

  #isLarge(bytes: number): boolean {
    return this.#huge > 0 && bytes >= HUGE_FROM * this.#huge
  }

  #shrinkTo(end: number): void {
    if (end === this.#ready) return
    this.#region.unused(end, this.#ready - end)
    this.#ready = end
  }

  #zero(from: number, end: number): void {
    if (from < end) this.#region.view(Uint8Array, from, end - from).fill(0)
  }

  #check(op: string, offset: number, length: number): void {
    if (
      Number.isSafeInteger(offset) &&
      offset >= 0 &&
      Number.isSafeInteger(length) &&
      length >= 0 &&
      offset + length <= this.#length
    )
      return
    throw new UsageError(
      'ERR_MEMLAYER_RANGE',
      `${op}: the range (${show(offset)}, ${show(length)}) does not lie within the buffer's ${this.#length} bytes`,
      {
        op,
        hint: 'Resize it first, or pass a range inside of it.',
      },
    )
  }
}

function checkLength(what: string, n: number, most: number, least: number): void {
  if (typeof n === 'number' && Number.isSafeInteger(n) && n >= least && n <= most) return
  throw new UsageError('ERR_MEMLAYER_SIZE', `GrowableBuffer: the ${what} is ${show(n)}`, {
    hint: `Pass a whole number of bytes from ${least} to ${most}.`,
  })
}

// A buffer that grows in place. Address space for its largest size is reserved at once, and memory is mapped as it
// grows. It answers to nothing in Go; it is a Region and one number.
import { alignUp, type Address } from '@memlayer/kernel'
import type { SysMemStat } from '../account/mem-stat.js'
import { lend, lendAll, type Lender } from '../borrows/lend.js'
import { elementSize, type ViewConstructor, type ViewOf } from '../borrows/view-types.js'
import { inWordsOf, OutOfMemoryError } from '../errors.js'
import type { HugePagePolicy } from '../mappings/huge-pages.js'
import type { Memory } from '../memory.js'
import { formatBytes, show } from '../text.js'
import {
  bufferFreed,
  bufferOptions,
  checkLength,
  checkMemory,
  checkStep,
  checkWithin,
  tooLong,
} from './buffer-misuse.js'
import { aheadOf } from './growth.js'
import type { Region } from './region.js'

/** The default step. A step costs kernel calls; memory is taken only as it is touched. */
const stepBytes = 2 ** 20
/**
 * From so many huge pages on it begins at a huge page and grows by whole ones, which the OS can then use. At most an
 * eighth of its bytes is ahead of what was asked for. A shorter buffer would pay a huge page for a few bytes.
 */
const hugePagesMin = 8
/** A view of such a part of it is a window. */
const windowPart = 8

/** How a growable buffer is made. */
export interface GrowableBufferOptions {
  /** The most bytes it may ever have, rounded up to whole pages. They are address space, which costs no memory. */
  readonly maximum: number
  /** The bytes it begins with. Default 0: grow or resize it before you write. */
  readonly length?: number | undefined
  /** What people call it, and its category unless `stat` is given. Default `'buffer'`. */
  readonly name?: string | undefined
  /** The category that counts its bytes. */
  readonly stat?: SysMemStat | undefined
  /** What it asks for as to huge pages. Default `'default'`. */
  readonly hugePages?: HugePagePolicy | undefined
  /**
   * It grows by so many bytes, rounded up to whole pages; a long buffer by whole huge pages at least. They count as
   * Ready before they are needed. Default 1 MiB, or more where that costs nothing. Pass a page where many buffers are
   * small, and the account or a limit counts them.
   */
  readonly step?: number | undefined
}

/**
 * Bytes that grow in place: without a copy, at the same address, and with views that stay valid. Shrinking gives the
 * tail back to the OS, `zero` gives back a hole in the middle. Declare it with `using`, or call `free()`.
 */
export class GrowableBuffer {
  readonly #region: Region
  readonly #page: number
  /** Bytes of a huge page; 0: the OS has none, or the policy is 'off'. */
  readonly #huge: number
  readonly #maximum: number
  /** The step that was asked for; 0: none was. */
  readonly #step: number
  #length = 0
  // Pages up to here are Ready. Beyond they are Reserved or Prepared.
  #ready = 0
  // Pages between these two may be Prepared: a shrink that failed may have given them back. An end of 0: none are.
  #tornFrom = Infinity
  #tornEnd = 0
  /** Bytes from the end up to here may have contents: those that a shrink left, or did not come to drop. */
  #dirty = 0
  /** The number of the last change. An observer may change the buffer in the midst of another change. */
  #turn = 0
  /** Whether code views a large part of it. Then it grows by doubling, because a longer buffer costs a collection. */
  #isViewed = false

  /**
   * @throws UsageError ERR_MEMLAYER_SIZE for a maximum or a length that is not a size.
   * @throws OutOfMemoryError when the OS refuses the address space or the first bytes.
   */
  constructor(memory: Memory, options: GrowableBufferOptions) {
    checkMemory(memory)
    const { maximum, length = 0, name = 'buffer', hugePages = 'default', stat, step } = bufferOptions(options)
    checkLength('GrowableBuffer', 'GrowableBuffer: the maximum', maximum, Number.MAX_SAFE_INTEGER, 1)
    checkLength('GrowableBuffer', 'GrowableBuffer: the length', length, maximum, 0)
    const { pageSize, hugePageSize } = memory.os.traits
    this.#page = pageSize
    this.#step = checkStep(step, pageSize)
    this.#huge = hugePages === 'off' ? 0 : hugePageSize
    this.#maximum = alignUp(maximum, pageSize)
    const align = this.#isLarge(maximum) ? this.#huge : undefined
    this.#region = memory.reserve(this.#maximum, { name, hugePages, align, stat })
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
    return this.#region.disposed ? 0 : this.#length
  }

  /** The most bytes it may have: the maximum in whole pages. */
  get maximum(): number {
    return this.#maximum
  }

  /** Bytes that it can grow to without asking the OS. */
  get capacity(): number {
    return this.#region.disposed ? 0 : this.#ready
  }

  /** The region below. */
  get region(): Region {
    return this.#region
  }

  /**
   * Makes it `length` bytes long. New bytes read zero. Growing keeps every view. Shrinking gives whole pages beyond the
   * new end back to the OS, and detaches the views over them, and every window.
   *
   * @throws UsageError ERR_MEMLAYER_SIZE beyond the maximum.
   * @throws OutOfMemoryError or FatalError when the OS has no memory; the length is then as before.
   */
  resize(length: number): void {
    const { name } = this.#region
    checkLength('resize', `resize of the buffer '${name}': the length`, length, this.#maximum, 0, name)
    this.#resize('resize', show(length), length)
  }

  #resize(op: string, given: string, length: number): void {
    this.#change(op, given, () => {
      // Where an observer has changed it meanwhile, the last word is this one's.
      do {
        if (length > this.#length) this.#growTo(op, length)
        else this.#shrinkTo(op, length)
      } while (this.#length !== length)
    })
  }

  /** Makes it longer by `bytes`. Returns the length before: where the new bytes begin. */
  grow(bytes: number): number {
    const { name } = this.#region
    checkLength('grow', `grow of the buffer '${name}': the number of bytes`, bytes, Number.MAX_SAFE_INTEGER, 0, name)
    const before = this.#length
    if (bytes > this.#maximum - before) tooLong(name, before, bytes, this.#maximum)
    this.#resize('grow', show(bytes), before + bytes)
    return before
  }

  /**
   * The bytes read zero, and whole pages among them give their memory back to the OS. Views over them stay. See
   * {@link Region.zero}. Calls do not add up: a range without a whole page in it is zeroed, and gives nothing back.
   */
  zero(offset: number, length: number): void {
    this.#clear('zero', offset, length)
  }

  /** `zero`, by its first name. */
  discard(offset: number, length: number): void {
    this.#clear('discard', offset, length)
  }

  #clear(op: string, offset: number, length: number): void {
    this.#check(op, offset, length)
    // A shrink that failed is mended first. An observer hears of that, and may change the buffer.
    this.#change(op, `${offset}, ${length}`, () => this.#region.zero(offset, length))
  }

  /**
   * A typed array, DataView or Buffer over `length` elements at `offset`. Default: as many as fit up to the end. See
   * {@link Region.view}. A view of a large part is a window on one buffer over all that is Ready, so it costs nothing
   * to make it anew after each growth. See {@link Region.window}: such views end together when the buffer shrinks.
   */
  view<T extends ArrayBufferView>(type: ViewConstructor<T>, offset = 0, length?: number): ViewOf<T> {
    const element = elementSize('view', type)
    const count = this.#elements('view', element, offset, length)
    try {
      if (this.#tornEnd > 0) this.#mendAt(offset, count * element)
      if (!this.#isLargePart(count * element)) return this.#region.view(type, offset, count)
      this.#isViewed = true
      return this.#region.window(type, offset, count)
    } catch (error) {
      throw this.#told(error, 'view', `${offset}, ${count}`)
    }
  }

  /**
   * Whether a view is worth a window. A smaller one has a buffer of its own, because a structured clone copies all of
   * a view's buffer.
   */
  #isLargePart(bytes: number): boolean {
    return bytes > this.#page && bytes * windowPart >= this.#ready
  }

  /** A view until what `use` returns has settled. See {@link Region.lend}. The buffer may grow meanwhile. */
  lend<T extends ArrayBufferView, R>(
    type: ViewConstructor<T>,
    offset: number,
    length: number | undefined,
    use: (view: ViewOf<T>) => R | PromiseLike<R>,
  ): Promise<R> {
    return lend(this.#lender('lend'), type, offset, length, use)
  }

  /** `lend` over several ranges at once: pairs of offset in bytes and length in elements, one after the other. */
  lendAll<T extends ArrayBufferView, R>(
    type: ViewConstructor<T>,
    ranges: ArrayLike<number>,
    use: (views: ViewOf<T>[]) => R | PromiseLike<R>,
  ): Promise<R> {
    return lendAll(this.#lender('lendAll'), type, ranges, use)
  }

  #lender(op: 'lend' | 'lendAll'): Lender {
    const below = this.#region.lender(op)
    return {
      name: below.name,
      lendOne: (type, offset, length) => {
        const element = elementSize(op, type)
        const count = this.#elements(op, element, offset, length)
        if (this.#tornEnd > 0) this.#mendAt(offset, count * element)
        return below.lendOne(type, offset, count)
      },
    }
  }

  /** The number of elements that a view from `offset` has. @throws UsageError unless they lie within. */
  #elements(op: string, element: number, offset: number, length: number | undefined): number {
    const rest = typeof offset === 'number' ? this.#length - offset : NaN
    const count = length === undefined ? Math.floor(rest / element) : length
    this.#check(op, offset, typeof count === 'number' ? count * element : NaN)
    return count
  }

  /** All of it, as bytes. */
  bytes(): Uint8Array<ArrayBuffer> {
    this.#expectLive('bytes')
    return this.view<Uint8Array<ArrayBuffer>>(Uint8Array)
  }

  /** Gives everything back, and detaches its views. */
  free(): void {
    this.#region[Symbol.dispose]()
    this.#length = this.#ready = this.#dirty = 0
  }

  /** `free()`, at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.free()
  }

  /** What console.log prints. */
  toString(): string {
    const { name, disposed } = this.#region
    if (disposed) return `GrowableBuffer '${name}': freed`
    const [length, maximum] = [formatBytes(this.#length), formatBytes(this.#maximum)]
    return `GrowableBuffer '${name}': ${length} of ${maximum}, ${formatBytes(this.#ready)} Ready`
  }

  /**
   * Makes a change of several steps. `given` is what the caller passed. Observers hear of its steps, and may change or
   * free the buffer between two of them.
   */
  #change(op: string, given: string, change: () => void): void {
    this.#expectLive(op)
    try {
      if (this.#tornEnd > 0) this.#mend()
      change()
    } catch (error) {
      throw this.#told(error, op, given)
    }
  }

  /** `#mend`, when some of `bytes` bytes at `offset` are not Ready. */
  #mendAt(offset: number, bytes: number): void {
    if (offset < this.#tornEnd && offset + bytes > this.#tornFrom) this.#mend()
  }

  /** Makes Ready again what a shrink gave back before the OS refused. */
  #mend(): void {
    const [from, end] = [this.#tornFrom, Math.min(this.#tornEnd, this.#ready)]
    // Only this range: the kernel may fill huge pages that are asked for, and what was zeroed would have memory again.
    if (from < end) this.#region.commit(from, end - from)
    this.#tornFrom = Infinity
    this.#tornEnd = 0
  }

  /** The pages of [from, end) have to be made Ready again before they are used. */
  #tear(from: number, end: number): void {
    this.#tornFrom = Math.min(this.#tornFrom, from)
    this.#tornEnd = Math.max(this.#tornEnd, end)
  }

  /** An observer may change the length meanwhile, and then this may end with another one. */
  #growTo(op: string, length: number): void {
    while (length > this.#ready) {
      const turn = (this.#turn += 1)
      const end = this.#commitFor(length)
      this.#expectLive(op)
      if (turn === this.#turn) this.#ready = end
    }
    const from = this.#length
    if (from >= length) return
    // The rest of the last page was never given back, and an old view may have written there.
    const contents = Math.max(alignUp(from, this.#page), this.#dirty)
    const turn = (this.#turn += 1)
    this.#zero(from, Math.min(contents, length))
    if (turn !== this.#turn) return
    this.#length = length
    if (length >= this.#dirty) this.#dirty = 0
  }

  /** Makes pages Ready up to `length`, and some beyond. Returns where they end. */
  #commitFor(length: number): number {
    const step = Math.max(this.#step || stepBytes, this.#page, this.#isLarge(length) ? this.#huge : 0)
    const from = this.#ready
    const end = Math.min(alignUp(length, step), this.#maximum)
    const wanted = this.#step > 0 ? 0 : aheadOf(this.#region.memory, from, length, step, this.#isViewed)
    const ahead = Math.min(alignUp(wanted, step), this.#maximum)
    // A part may be Ready already, where an observer or a script ended a change.
    if (ahead > end && this.#commitAhead(from, ahead - from)) return ahead
    this.#region.commit(from, end - from)
    return end
  }

  /** False: the OS refuses so many. */
  #commitAhead(from: number, bytes: number): boolean {
    try {
      this.#region.commit(from, bytes)
      return true
    } catch (error) {
      if (error instanceof OutOfMemoryError) return false
      throw error
    }
  }

  #isLarge(bytes: number): boolean {
    return this.#huge > 0 && bytes >= hugePagesMin * this.#huge
  }

  #shrinkTo(op: string, length: number): void {
    const end = alignUp(length, this.#page)
    const [before, ready] = [this.#length, this.#ready]
    const turn = (this.#turn += 1)
    // The figures come first: if a script ends between, pages stay Ready with their contents, and none is wanting.
    this.#dirty = Math.max(this.#dirty, before)
    this.#length = length
    if (end >= ready) return
    this.#ready = end
    try {
      this.#region.unusedNow(end, ready - end)
    } catch (error) {
      // What was asked of the OS may have been done: then the pages have to be made Ready again.
      this.#tear(end, ready)
      if (turn === this.#turn) [this.#length, this.#ready] = [before, ready]
      throw error
    }
    // Where the OS may bring old bytes back, and beyond the pages that went, there are contents still.
    const isClean = this.#region.memory.os.traits.unusedDropsContents && this.#dirty <= ready
    if (turn === this.#turn && isClean) this.#dirty = 0
    this.#expectLive(op)
  }

  #zero(from: number, end: number): void {
    if (from < end) this.#region.view(Uint8Array, from, end - from).fill(0)
  }

  #check(op: string, offset: number, length: number): void {
    this.#expectLive(op)
    checkWithin(op, this.#region.name, this.#length, offset, length)
  }

  #expectLive(op: string): void {
    if (this.#region.disposed) bufferFreed(op, this.#region.name)
  }

  /** An error of the region below, in the words of this buffer's method. */
  #told(error: unknown, op: string, given: string): unknown {
    return inWordsOf(error, { op, given, on: `the buffer '${this.#region.name}'`, region: this.#region.name })
  }
}

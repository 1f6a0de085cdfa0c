// A buffer that grows in place. Address space for its largest size is reserved at once, and memory is mapped as it
// grows. It answers to nothing in Go; it is a Region and one number.
import { alignUp, alignDown, type Address } from '@memlayer/kernel'
import type { SysMemStat } from '../account/mem-stat.js'
import { lend, lendAll, type Lender } from '../borrows/lend.js'
import { elementSize, type ViewConstructor, type ViewOf } from '../borrows/view-types.js'
import { inWordsOf, UsageError } from '../errors.js'
import type { HugePagePolicy } from '../mappings/huge-pages.js'
import type { Memory } from '../memory.js'
import { checkOptions } from '../options.js'
import { formatBytes, show } from '../text.js'
import { notWithin } from './region-misuse.js'
import type { Region } from './region.js'

/** It grows by steps of this many bytes. A step costs kernel calls; memory is taken only as it is touched. */
const stepBytes = 2 ** 20
/**
 * From so many huge pages on it begins at a huge page and grows by whole ones, which the OS can then use. At most an
 * eighth of its bytes is ahead of what was asked for. A shorter buffer would pay a huge page for a few bytes.
 */
const hugePagesMin = 8

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
}

/**
 * Bytes that grow in place: without a copy, at the same address, and with views that stay valid. Shrinking gives the
 * tail back to the OS, `discard` gives back a hole in the middle. Declare it with `using`, or call `free()`.
 */
export class GrowableBuffer {
  readonly #region: Region
  readonly #page: number
  /** Bytes of a huge page; 0: the OS has none, or the policy is 'off'. */
  readonly #huge: number
  readonly #maximum: number
  #length = 0
  // Pages up to here are Ready. Beyond they are Reserved or Prepared.
  #ready = 0
  // Pages between these two may be Prepared: they were discarded, and not made Ready again. An end of 0: none are.
  #tornFrom = Infinity
  #tornEnd = 0
  /** Bytes from the end up to here may have contents: those that a shrink left, or did not come to drop. */
  #dirty = 0
  /** The number of the last change. An observer may change the buffer in the midst of another change. */
  #turn = 0

  /**
   * @throws UsageError ERR_MEMLAYER_SIZE for a maximum or a length that is not a size.
   * @throws OutOfMemoryError when the OS refuses the address space or the first bytes.
   */
  constructor(memory: Memory, options: GrowableBufferOptions) {
    checkMemory(memory)
    const read = checkOptions('GrowableBuffer', options, ['maximum', 'length', 'name', 'stat', 'hugePages'])
    const { maximum, length = 0, name = 'buffer', hugePages = 'default', stat } = read
    checkLength('GrowableBuffer', 'GrowableBuffer: the maximum', maximum, Number.MAX_SAFE_INTEGER, 1)
    checkLength('GrowableBuffer', 'GrowableBuffer: the length', length, maximum, 0)
    const { pageSize, hugePageSize } = memory.os.traits
    this.#page = pageSize
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
   * new end back to the OS, and detaches the views over them.
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
    if (bytes > this.#maximum - before) this.#tooLong(bytes)
    this.#resize('grow', show(bytes), before + bytes)
    return before
  }

  /**
   * Zeroes [offset, offset+length) and gives the whole pages in it back to the OS. They return on the next touch, and
   * stay Ready in the account. Views over those pages are detached, so make them anew. Calls do not add up: a range
   * without a whole page in it is zeroed, and gives nothing back.
   */
  discard(offset: number, length: number): void {
    this.#check('discard', offset, length)
    const from = alignUp(offset, this.#page)
    const end = alignDown(offset + length, this.#page)
    this.#change('discard', `${offset}, ${length}`, () => {
      if (from >= end) return this.#zero(offset, offset + length)
      this.#tear(from, end)
      this.#region.unusedNow(from, end - from, true)
      this.#expectLive('discard')
      // It is discarded from here on. What the OS refuses now it may give later.
      this.#zero(offset, Math.min(from, this.#ready))
      this.#zero(end, Math.min(offset + length, this.#ready))
      this.#mend()
      this.#expectLive('discard')
      // Where the OS may bring old bytes back, zeroes are written by hand.
      if (!this.#region.memory.os.traits.unusedDropsContents) this.#zero(from, Math.min(end, this.#ready))
    })
  }

  /**
   * A typed array, DataView or Buffer over `length` elements at `offset`. Default: as many as fit up to the end. See
   * {@link Region.view}.
   */
  view<T extends ArrayBufferView>(type: ViewConstructor<T>, offset = 0, length?: number): ViewOf<T> {
    const count = this.#elements('view', type, offset, length)
    try {
      if (this.#tornEnd > 0) this.#mendAt(offset, count * elementSize('view', type))
      return this.#region.view(type, offset, count)
    } catch (error) {
      throw this.#told(error, 'view', `${offset}, ${count}`)
    }
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
        const count = this.#elements(op, type, offset, length)
        if (this.#tornEnd > 0) this.#mendAt(offset, count * elementSize(op, type))
        return below.lendOne(type, offset, count)
      },
    }
  }

  /** The number of elements that a view from `offset` has. @throws UsageError unless they lie within. */
  #elements(op: string, type: ViewConstructor, offset: number, length: number | undefined): number {
    const element = elementSize(op, type)
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

  /** Makes Ready again what was discarded: in the end of `discard`, or later, when the OS refused or a script ended. */
  #mend(): void {
    const [from, end] = [this.#tornFrom, Math.min(this.#tornEnd, this.#ready)]
    // Only this range: the kernel may fill huge pages that are asked for, and earlier discards would be undone.
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
      const step = Math.max(stepBytes, this.#page, this.#isLarge(length) ? this.#huge : 0)
      const end = Math.min(alignUp(length, step), this.#maximum)
      const from = this.#ready
      const turn = (this.#turn += 1)
      // A part may be Ready already, where an observer or a script ended a change.
      this.#region.commit(from, end - from)
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
    const isRange = Number.isSafeInteger(offset) && offset >= 0 && Number.isSafeInteger(length) && length >= 0
    if (isRange && offset + length <= this.#length) return
    const outside = notWithin(op, offset, length, this.#length)
    const buffer = `the buffer '${this.#region.name}' of ${this.#length} bytes`
    throw new UsageError('ERR_MEMLAYER_RANGE', `${op}: ${outside} ${buffer}`, {
      op,
      region: this.#region.name,
      hint: 'Pass a range inside the buffer, or resize the buffer first.',
    })
  }

  #tooLong(bytes: number): never {
    const { name } = this.#region
    const would = `it would have ${this.#length + bytes} bytes, and its maximum is ${this.#maximum}`
    throw new UsageError('ERR_MEMLAYER_SIZE', `grow of the buffer '${name}' by ${bytes} bytes: ${would}`, {
      op: 'grow',
      region: name,
      hint: `Pass a whole number of bytes from 0 to ${this.#maximum - this.#length}.`,
    })
  }

  #expectLive(op: string): void {
    if (!this.#region.disposed) return
    throw new UsageError('ERR_MEMLAYER_DISPOSED', `${op}: the buffer '${this.#region.name}' was freed`, {
      op,
      region: this.#region.name,
      hint: 'Make another with new GrowableBuffer(memory, { maximum }).',
    })
  }

  /** An error of the region below, in the words of this buffer's method. */
  #told(error: unknown, op: string, given: string): unknown {
    return inWordsOf(error, { op, given, on: `the buffer '${this.#region.name}'`, region: this.#region.name })
  }
}

function checkLength(op: string, what: string, n: number, most: number, least: number, region?: string): void {
  if (typeof n === 'number' && Number.isSafeInteger(n) && n >= least && n <= most) return
  throw new UsageError('ERR_MEMLAYER_SIZE', `${what} is ${show(n)}`, {
    op,
    ...(region === undefined ? {} : { region }),
    hint: `Pass a whole number of bytes from ${least} to ${most}.`,
  })
}

/** @throws UsageError ERR_MEMLAYER_OPTION for a value that is not a memory. */
function checkMemory(memory: Memory): void {
  const isObject = typeof memory === 'object' && memory !== null
  if (isObject && typeof memory.reserve === 'function' && typeof memory.os === 'object') return
  throw new UsageError('ERR_MEMLAYER_OPTION', `GrowableBuffer: the memory is ${show(memory)}`, {
    op: 'GrowableBuffer',
    hint: 'Pass a memory that createMemory returned, then the options: new GrowableBuffer(memory, { maximum }).',
  })
}

// Memory that the JavaScript engine owns, as a backend. The address space is the engine's SharedArrayBuffers. The
// kernel is asked for advice alone, so the engine keeps every page for as long as code can reach it, and no view, no
// worker and no call in flight can touch memory that is gone. The functions are in mem.go's order. core's wrappers call
// them. The advice is Linux's, as in @memlayer/os-linux.
import { checkOptions, UsageError, type AdoptedPages, type OS, type Refusal, type Traits } from '@memlayer/core'
import { posixKernel } from '@memlayer/ffi'
import {
  alignDown,
  alignUp,
  errnoName,
  placeBuffer,
  writeZeroes,
  type Address,
  type HostServices,
  type PosixKernel,
} from '@memlayer/kernel'
import { spaceOf } from './adopted.js'
import { EINVAL, ENOSYS, EPERM, MADV_DONTNEED, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_POPULATE_WRITE } from './defs.js'
import {
  hintOfAddress,
  hintOfAdopted,
  hintOfBuffer,
  hintOfKernel,
  hintOfPages,
  hintOfPlace,
  hintOfPopulate,
  keptHint,
} from './hint.js'
import { Spaces } from './spaces.js'

/** How the backend is made. */
export interface EngineOptions {
  /** The kernel below, which needs `addressOf`. Default: the host's own. */
  readonly kernel?: PosixKernel | undefined
  /**
   * Whether buffers are made growable, at their full length. V8 charges a growable buffer to no limit, and begins it at
   * a page. Bun does so for fixed ones, whose elements are faster there. Default: true, except on Bun.
   */
  readonly growable?: boolean | undefined
}

/**
 * The engine's memory over a kernel.
 *
 * @throws UsageError ERR_MEMLAYER_OPTION when the kernel can't tell where a buffer is.
 */
export function createOS(options: EngineOptions = {}): OS {
  const read = checkOptions('createOS', options, ['kernel', 'growable'])
  const kernel = read.kernel ?? posixKernel()
  if (kernel.addressOf === undefined) {
    const message = 'createOS: the kernel has no addressOf, so it is not known where the buffers of the engine are'
    throw new UsageError('ERR_MEMLAYER_OPTION', message, { op: 'createOS', hint: hintOfKernel })
  }
  return new EngineMemory(kernel, read.growable ?? !isBun)
}

const isBun = (globalThis as { readonly Bun?: unknown }).Bun !== undefined

class EngineMemory implements OS {
  readonly name = 'engine'
  readonly traits: Traits
  refusal: Refusal | null = null
  readonly usedKeepsReady = true
  readonly host: HostServices
  readonly #kernel: PosixKernel
  readonly #isGrowable: boolean
  readonly #pageSize: number
  readonly #hugePageSize: number
  readonly #spaces = new Spaces()
  // Whether the kernel has refused to take pages back. They were zeroed by hand.
  #keepsMemory = false
  // Whether the kernel can populate pages ahead of a touch. False once a kernel does not know how.
  #populates = true
  // Whether one call can advise many ranges. False once a kernel refuses.
  #advisesMany: boolean

  constructor(kernel: PosixKernel, isGrowable: boolean) {
    // The table of the process is for reservations that another thread may unmap. The engine does that here.
    const { processTable: _, ...services } = kernel
    this.host = services
    this.#kernel = kernel
    this.#isGrowable = isGrowable
    this.#pageSize = kernel.pageSize
    this.#hugePageSize = kernel.hugePageSize
    this.#advisesMany = kernel.madviseAll !== undefined
    const returnsMemory = (): boolean => !this.#keepsMemory
    this.traits = Object.freeze({
      pageSize: kernel.pageSize,
      hugePageSize: kernel.hugePageSize,
      granularity: kernel.pageSize,
      freesParts: true,
      hints: false,
      reservedTraps: false,
      unusedTraps: false,
      faultTraps: false,
      // An address means nothing to another thread's backend. Its code gets the pages by a view that is posted.
      threadsShare: false,
      get unusedReturnsMemory() {
        return returnsMemory()
      },
      unusedDropsContents: true,
      ends: 'zeroed',
      splitsMappings: false,
    })
  }

  sysAllocOS(n: number): Address | null {
    // A new buffer reads zero.
    return this.sysReserveOS(null, n)
  }

  sysUnusedOS(v: Address, n: number): void {
    this.#giveBack(v, n)
  }

  sysUnusedAllOS(ranges: ArrayLike<number>): boolean {
    if (!this.#advisesMany || this.#spaces.adopted > 0) return false
    for (let i = 0; i < ranges.length; i += 2) this.#cutHugePages(ranges[i] as Address, ranges[i + 1] as number)
    const answer = this.#kernel.madviseAll?.(ranges, MADV_DONTNEED) ?? -ENOSYS
    // Any advice on the own process came with Linux 6.13. Locked pages have the same answer, and cost a call each.
    if (answer === -ENOSYS || answer === -EPERM || answer === -EINVAL) this.#advisesMany = false
    return answer === 0
  }

  sysUsedOS(v: Address, n: number): void {
    // Pages return on first touch. sysUnused may have taken the huge page flag from pages at the ends.
    this.sysHugePageOS(v, n)
  }

  sysHugePageOS(v: Address, n: number): void {
    const huge = this.#hugePageSize
    if (huge === 0) return
    const beg = alignUp(v, huge)
    const end = alignDown(v + n, huge)
    // A hint: a kernel that refuses it changes nothing.
    if (beg < end) void this.#advise(beg, end - beg, MADV_HUGEPAGE)
  }

  sysPopulateOS(v: Address, n: number): boolean | null {
    if (!this.#populates) return false
    const answer = this.#advise(v, n, MADV_POPULATE_WRITE)
    if (answer === 0) return true
    // It came with Linux 5.14. An older kernel answers EINVAL. A sandbox that does not know it answers EPERM or ENOSYS.
    if (answer === -EINVAL || answer === -EPERM || answer === -ENOSYS) return (this.#populates = false)
    this.refusal = this.#said('madvise', -answer, hintOfPopulate)
    return null
  }

  sysZeroOS(v: Address, n: number): boolean {
    this.#cutHugePages(v, n)
    const answer = this.#advise(v, n, MADV_DONTNEED)
    if (answer === 0) return true
    this.refusal = this.#said('madvise', -answer, keptHint(-answer))
    return false
  }

  sysNoHugePageOS(v: Address, n: number): void {
    // A hint, whose answer is ignored. A kernel without huge pages answers EINVAL.
    if (this.#hugePageSize !== 0) void this.#advise(v, n, MADV_NOHUGEPAGE)
  }

  sysFreeOS(v: Address, n: number): void {
    const end = v + n
    let at = v
    while (at < end) {
      const space = this.#spaces.at(at)
      if (space === null) return
      const size = Math.min(end, space.end) - at
      // Code may keep a view for long, so the memory goes now. Where the kernel keeps it, it goes with the buffer. The
      // bytes of a buffer that was adopted are other code's.
      if (space.isThere === null) void this.#kernel.madvise(at, size, MADV_DONTNEED)
      space.owned -= size
      if (space.owned === 0) this.#spaces.drop(space)
      at += size
    }
  }

  sysFaultOS(v: Address, n: number): void {
    // A page of the engine can't be made to trap, because the engine may touch it. It gives its memory back.
    this.#giveBack(v, n)
    this.refusal = null
  }

  sysReserveOS(v: Address | null, n: number): Address | null {
    if (v !== null) {
      this.refusal = { hint: hintOfAddress }
      return null
    }
    const size = alignUp(n, this.#pageSize)
    // A page or a huge page after it is in no range. So ranges of two buffers never touch, and no view needs both. It
    // is address space alone.
    const gap = size >= this.#hugePageSize ? Math.max(this.#hugePageSize, this.#pageSize) : this.#pageSize
    return this.#reserve(size, size + gap) ?? null
  }

  sysMapOS(_v: Address, _n: number): void {
    // Nothing to do: Reserved and Prepared are one state here.
  }

  sysAdoptOS(bufferNow: () => ArrayBufferLike): AdoptedPages | null {
    const space = spaceOf(this.#kernel, bufferNow)
    if (space === null || typeof space === 'number') {
      this.refusal = space === null ? { hint: hintOfPages } : this.#said('addressOf', -space, hintOfPlace)
      return null
    }
    const { start, end, isThere } = space
    const found = this.#spaces.within(start, end)
    if (found === null) this.#spaces.add(space)
    // Core refuses pages that it has. Those that it has not were left by a script that ended in the middle.
    else if (found.start !== start || found.end !== end || found.isThere?.() !== true) {
      this.refusal = { hint: hintOfAdopted }
      return null
    }
    return { address: start, size: end - start, isThere: found?.isThere ?? isThere }
  }

  view(v: Address, n: number): ArrayBuffer {
    const space = this.#spaces.at(v)
    if (space === null || v + n > space.end || space.isThere?.() === false) {
      const hint = 'Make one view of each reservation. A buffer that was adopted may have been detached.'
      throw new UsageError('ERR_MEMLAYER_VIEW', 'view: no buffer of the engine has all of this range', {
        op: 'view',
        address: v,
        size: n,
        hint,
      })
    }
    // It is shared memory. Typed arrays, DataView and Buffer take either.
    return space.buffer as unknown as ArrayBuffer
  }

  detach(_buffer: ArrayBuffer): void {
    // Nothing to do: a view that is kept stays on memory of the engine.
  }

  /** The first whole page of a new buffer of `n` bytes, of which the layer owns `size`. `null`: refused. */
  #reserve(size: number, n: number): Address | null {
    const buffer = this.#newBuffer(n)
    if (buffer === null) return null
    const first = this.#kernel.addressOf?.(buffer) ?? -ENOSYS
    if (first < 0) {
      this.refusal = this.#said('addressOf', -first, hintOfPlace)
      return null
    }
    // V8 begins a fixed buffer within a page. The rest of that page is in the gap.
    const start = alignUp(first, this.#pageSize)
    placeBuffer(buffer, first)
    this.#spaces.add({ buffer, isThere: null, start, end: start + size, owned: size })
    return start
  }

  /** A buffer of `n` bytes. `null`: the engine refused, and left a refusal. */
  #newBuffer(n: number): SharedArrayBuffer | null {
    try {
      return this.#isGrowable ? new SharedArrayBuffer(n, { maxByteLength: n }) : new SharedArrayBuffer(n)
    } catch (error) {
      const { message } = error as Error
      this.refusal = { hint: hintOfBuffer(n, message) }
      return null
    }
  }

  /** Takes the memory of pages, which read zero from then on. */
  #giveBack(v: Address, n: number): void {
    this.#cutHugePages(v, n)
    const answer = this.#advise(v, n, MADV_DONTNEED)
    if (answer === 0) return
    // Locked pages (EINVAL), or a filter.
    this.#keepsMemory = true
    writeZeroes(this, v, n)
    this.refusal = this.#said('madvise', -answer, keptHint(-answer))
  }

  /** The kernel's advice on [v, v+n). */
  #advise(v: Address, n: number, advice: number): number {
    return this.#spaces.adopted === 0 ? this.#kernel.madvise(v, n, advice) : this.#adviseThere(v, n, advice)
  }

  /** `#advise` on those pages alone that their buffers still have. Others may be unmapped, or anybody's. */
  #adviseThere(v: Address, n: number, advice: number): number {
    let answer = 0
    for (let at = v, space = this.#spaces.at(at); space !== null && at < v + n; space = this.#spaces.at(at)) {
      const size = Math.min(v + n, space.end) - at
      const said = space.isThere?.() === false ? 0 : this.#kernel.madvise(at, size, advice)
      if (said !== 0) answer = said
      at += size
    }
    return answer
  }

  /** Takes the huge page flag from the huge pages at the ends of [v, v+n): see @memlayer/os-linux. */
  #cutHugePages(v: Address, n: number): void {
    const huge = this.#hugePageSize
    if (huge === 0) return
    const end = v + n
    const head = alignDown(v, huge)
    const tail = alignDown(end, huge)
    if (head !== v) this.#cutHugePage(head, huge)
    if (tail !== end && (tail !== head || head === v)) this.#cutHugePage(tail, huge)
  }

  /** A huge page lies within one buffer. What reaches beyond a buffer can't become one. */
  #cutHugePage(at: Address, huge: number): void {
    const space = this.#spaces.at(at)
    // Errors are ignored, because a kernel without huge pages answers EINVAL.
    if (space !== null && at + huge <= space.end) void this.#advise(at, huge, MADV_NOHUGEPAGE)
  }

  #said(syscall: string, errno: number, hint: string): Refusal {
    return { syscall, errno, errnoName: errnoName('linux', errno), hint }
  }
}

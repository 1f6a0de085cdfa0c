// Memory that the JavaScript engine owns, as a backend. The address space is the engine's SharedArrayBuffers. The
// kernel is asked for advice alone, so the engine keeps every page for as long as code can reach it, and no view, no
// worker and no call in flight can touch memory that is gone. The functions are in mem.go's order. core's wrappers call
// them. What differs between Linux, macOS and Windows is in systems/.
import {
  checkOptions,
  FatalError,
  UsageError,
  type AdoptedPages,
  type OS,
  type Refusal,
  type Traits,
} from '@memlayer/core'
import {
  alignDown,
  alignUp,
  errnoName,
  placeBuffer,
  writeZeroes,
  type Address,
  type HostServices,
} from '@memlayer/kernel'
import { spaceOf } from './adopted.js'
import { Buffers } from './buffers.js'
import { EINVAL, ENOSYS, EPERM } from './defs.js'
import { hintOfAddress, hintOfAdopted, hintOfBuffer, hintOfPages, hintOfPlace, hintOfPopulate } from './hint.js'
import { servicesOf } from './services.js'
import { Spaces, type Space } from './spaces.js'
import { systemOf } from './systems/system-of.js'
import {
  DISCARD,
  HUGE,
  NO_HUGE,
  POPULATE,
  REUSE,
  type Advice,
  type EngineKernel,
  type EngineSystem,
  type System,
} from './systems/system.js'

/** How the backend is made. */
export interface EngineOptions {
  /** The kernel below, which needs `addressOf`. Default: the host's own. */
  readonly kernel?: EngineKernel | undefined
  /**
   * The system whose advice the kernel takes. Default: the host's, or that of a kernel that is handed in: Windows' by
   * its calls, else `'linux'`.
   */
  readonly system?: EngineSystem | undefined
  /**
   * Whether buffers are made growable. Linux and macOS charge a growable buffer to no limit, so it has its full length
   * from the start. Windows charges its length, so it grows with what is Ready. Bun charges no fixed ones either, and
   * their elements are faster. Default: true, except on Bun for Linux and macOS.
   */
  readonly growable?: boolean | undefined
}

/**
 * The engine's memory over a kernel.
 *
 * @throws UsageError ERR_MEMLAYER_OPTION when the kernel can't tell where a buffer is, or is not one of the system.
 */
export function createOS(options: EngineOptions = {}): OS {
  const read = checkOptions('createOS', options, ['kernel', 'system', 'growable'])
  const system = systemOf('createOS', read.kernel, read.system)
  return new EngineMemory(system, read.growable ?? (!isBun || system.commit !== undefined))
}

const isBun = (globalThis as { readonly Bun?: unknown }).Bun !== undefined

class EngineMemory implements OS {
  readonly name = 'engine'
  readonly traits: Traits
  refusal: Refusal | null = null
  readonly usedKeepsReady = true
  readonly host: HostServices
  readonly sysRoomOS?: (n: number) => boolean
  readonly #system: System
  readonly #pageSize: number
  readonly #hugePageSize: number
  readonly #buffers: Buffers
  readonly #spaces = new Spaces()
  // Whether the kernel has refused to take pages back. They were zeroed by hand.
  #keepsMemory = false
  // Whether the kernel can populate pages ahead of a touch. False once a kernel does not know how.
  #populates: boolean
  // Whether one call can advise many ranges. False once a kernel refuses.
  #advisesMany: boolean

  constructor(system: System, isGrowable: boolean) {
    const { pageSize, hugePageSize, granularity, room } = system
    this.host = servicesOf(system.kernel)
    this.#system = system
    this.#buffers = new Buffers(system, isGrowable)
    this.#pageSize = pageSize
    this.#hugePageSize = hugePageSize
    this.#populates = system.populates
    this.#advisesMany = system.discardAll !== undefined
    if (room !== undefined) this.sysRoomOS = (n) => this.#hasRoom(room(n), n)
    const returnsMemory = (): boolean => !this.#keepsMemory
    this.traits = Object.freeze({
      pageSize,
      hugePageSize,
      granularity,
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
    const p = this.sysReserveOS(null, n)
    if (p === null || !this.#buffers.beginSmall) return p
    const answer = this.#buffers.lengthen(this.#spaces, p, n)
    if (answer === 0) return p
    const space = this.#spaces.at(p)
    if (space !== null) this.#spaces.drop(space)
    this.refusal = this.#notCommitted(-answer, n)
    return null
  }

  sysUnusedOS(v: Address, n: number): void {
    this.#giveBack(v, n)
  }

  sysUnusedAllOS(ranges: ArrayLike<number>): boolean {
    if (!this.#advisesMany || this.#spaces.adopted > 0) return false
    for (let i = 0; i < ranges.length; i += 2) this.#cutHugePages(ranges[i] as Address, ranges[i + 1] as number)
    const answer = this.#system.discardAll?.(ranges) ?? -ENOSYS
    // Any advice on the own process came with Linux 6.13. Locked pages have the same answer, and cost a call each.
    if (answer === -ENOSYS || answer === -EPERM || answer === -EINVAL) this.#advisesMany = false
    return answer === 0
  }

  sysUsedOS(v: Address, n: number): void {
    if (this.#buffers.beginSmall) this.#demandLength(v, n)
    if (this.#system.reuses) void this.#advise(v, n, REUSE)
    // Pages return on first touch. sysUnused may have taken the huge page flag from pages at the ends.
    this.sysHugePageOS(v, n)
  }

  sysHugePageOS(v: Address, n: number): void {
    const huge = this.#hugePageSize
    if (huge === 0) return
    const beg = alignUp(v, huge)
    const end = alignDown(v + n, huge)
    // A hint: a kernel that refuses it changes nothing.
    if (beg < end) void this.#advise(beg, end - beg, HUGE)
  }

  sysPopulateOS(v: Address, n: number): boolean | null {
    if (!this.#populates) return false
    const answer = this.#advise(v, n, POPULATE)
    if (answer === 0) return true
    // It came with Linux 5.14. An older kernel answers EINVAL. A sandbox that does not know it answers EPERM or ENOSYS.
    if (answer === -EINVAL || answer === -EPERM || answer === -ENOSYS) return (this.#populates = false)
    this.refusal = this.#said('madvise', -answer, hintOfPopulate)
    return null
  }

  sysZeroOS(v: Address, n: number): boolean {
    this.#cutHugePages(v, n)
    const answer = this.#advise(v, n, DISCARD)
    if (answer === 0) return true
    this.refusal = this.#kept(-answer)
    return false
  }

  sysNoHugePageOS(v: Address, n: number): void {
    // A hint, whose answer is ignored. A kernel without huge pages answers EINVAL.
    if (this.#hugePageSize !== 0) void this.#advise(v, n, NO_HUGE)
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
      if (space.isThere === null) void this.#adviseSpace(space, at, size, DISCARD)
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
    const { granularity } = this.#system
    const gap = size >= this.#hugePageSize ? Math.max(this.#hugePageSize, granularity) : granularity
    return this.#reserve(size, size + gap) ?? null
  }

  sysMapOS(_v: Address, _n: number): void {
    // Nothing to do: Reserved and Prepared are one state here.
  }

  sysAdoptOS(bufferNow: () => ArrayBufferLike): AdoptedPages | null {
    const space = spaceOf(this.#system, bufferNow)
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
    const first = this.#system.kernel.addressOf?.(buffer) ?? -ENOSYS
    if (first < 0) {
      this.refusal = this.#said('addressOf', -first, hintOfPlace)
      return null
    }
    // V8 begins a fixed buffer within a page. What is before the next multiple of the granularity is in the gap.
    const start = alignUp(first, this.#system.granularity)
    placeBuffer(buffer, first)
    this.#spaces.add({ buffer, isThere: null, first, start, end: start + size, owned: size })
    return start
  }

  /** A buffer of `n` bytes. `null`: the engine refused, and left a refusal. */
  #newBuffer(n: number): SharedArrayBuffer | null {
    try {
      return this.#buffers.make(n)
    } catch (error) {
      const { message } = error as Error
      this.refusal = { hint: hintOfBuffer(n, message) }
      return null
    }
  }

  /** Makes the buffer so long that it has [v, v+n). @throws FatalError when the kernel commits no more. */
  #demandLength(v: Address, n: number): void {
    const answer = this.#buffers.lengthen(this.#spaces, v, n)
    if (answer === 0) return
    const words = this.#system.isShort?.(-answer) === true ? 'out of memory' : 'failed to commit pages'
    throw new FatalError(words, { op: 'sysUsed', address: v, size: n, ...this.#notCommitted(-answer, n) })
  }

  #hasRoom(answer: number, n: number): boolean {
    if (answer < 0) this.refusal = this.#notCommitted(-answer, n)
    return answer === 0
  }

  /** Takes the memory of pages, which read zero from then on. */
  #giveBack(v: Address, n: number): void {
    this.#cutHugePages(v, n)
    const answer = this.#advise(v, n, DISCARD)
    if (answer === 0) return
    // Locked pages, or a filter.
    this.#keepsMemory = true
    if (!this.#system.zeroesFirst) writeZeroes(this, v, n)
    this.refusal = this.#kept(-answer)
  }

  /** Advice on [v, v+n). */
  #advise(v: Address, n: number, advice: Advice): number {
    if (this.#spaces.adopted === 0 && !this.#buffers.beginSmall) return this.#system.advise(v, n, advice)
    return this.#adviseEach(v, n, advice)
  }

  /** `#advise` on each buffer's part of the range. */
  #adviseEach(v: Address, n: number, advice: Advice): number {
    let answer = 0
    for (let at = v, space = this.#spaces.at(at); space !== null && at < v + n; space = this.#spaces.at(at)) {
      const size = Math.min(v + n, space.end) - at
      const said = this.#adviseSpace(space, at, size, advice)
      if (said !== 0) answer = said
      at += size
    }
    return answer
  }

  /**
   * `#advise` on those pages alone that the buffer has. The pages of an adopted one may be unmapped, or other code's.
   * Those beyond the length of a growable one were never touched, and the kernel may have no memory for them.
   */
  #adviseSpace(space: Space, v: Address, n: number, advice: Advice): number {
    if (space.isThere?.() === false) return 0
    const size = this.#buffers.lengthOf(space, v, n)
    return size > 0 ? this.#system.advise(v, size, advice) : 0
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
    if (space !== null && at + huge <= space.end) void this.#advise(at, huge, NO_HUGE)
  }

  /** The kernel's word where it keeps pages. */
  #kept(errno: number): Refusal {
    return this.#said(this.#system.discardCall, errno, this.#system.keptHint(errno))
  }

  /** The kernel's word where it commits no more. */
  #notCommitted(errno: number, n: number): Refusal {
    return this.#said('VirtualAlloc', errno, this.#system.commitHint?.(errno, n) ?? '')
  }

  #said(syscall: string, errno: number, hint: string): Refusal {
    return { syscall, errno, errnoName: errnoName(this.#system.errors, errno), hint }
  }
}

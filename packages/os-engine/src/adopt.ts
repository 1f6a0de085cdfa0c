// Adoption: the kernel's advice on a buffer that exists, of WebAssembly, of another library, of the program. Nothing is
// mapped and nothing is owned, so the engine finds its pages as it made them. Every call looks at the buffer anew,
// because other code may grow, move or detach it.
import { alignDown, alignUp, bufferLength, residencyBits, type Address } from '@memlayer/kernel'
import { checkOptions, OutOfMemoryError, UsageError } from '@memlayer/core'
import { ENOMEM } from './defs.js'
import { hintOfPopulate } from './hint.js'
import { systemOf } from './systems/system-of.js'
import {
  DISCARD,
  HUGE,
  NO_HUGE,
  POPULATE,
  type EngineKernel,
  type EngineSystem,
  type System,
} from './systems/system.js'
import { takeFree, type ModuleAllocator } from './trim.js'

/** A WebAssembly.Memory, or an object whose member `buffer` has the bytes now. */
export interface BufferHolder {
  /** The buffer that has its bytes now. */
  readonly buffer: ArrayBufferLike
}

/** How a buffer is adopted. */
export interface AdoptOptions {
  /** What people call it, in errors. Default `'adopted'`. */
  readonly name?: string | undefined
  /** The kernel below, which needs `addressOf`. Default: the host's own. */
  readonly kernel?: EngineKernel | undefined
  /** The system whose advice the kernel takes, as for `createOS`. Default: the host's, or that of the kernel. */
  readonly system?: EngineSystem | undefined
}

/**
 * Advice on the pages of a buffer that exists. Offsets and lengths are bytes, and both default to all of it. Only pages
 * that lie whole within a range are advised.
 */
export class Adopted {
  readonly #holder: BufferHolder
  readonly #system: System
  readonly #name: string
  #isReleased = false
  // Whether the module was seen to grow its memory by its own instruction, which no code can refuse.
  #growsByItself = false

  /** @internal */
  constructor(holder: BufferHolder, name: string, kernel?: EngineKernel, system?: EngineSystem) {
    this.#holder = holder
    this.#system = systemOf('adopt', kernel, system)
    this.#name = name
  }

  /** What people call it. */
  get name(): string {
    return this.#name
  }

  /** Its bytes now. 0: it was released, or its buffer was detached. */
  get size(): number {
    return this.#isReleased ? 0 : this.#holder.buffer.byteLength
  }

  /** Where it begins now. */
  get address(): Address {
    return this.#place('address', 0, 0)
  }

  /** Whether it was released. */
  get released(): boolean {
    return this.#isReleased
  }

  /**
   * Gives the memory of the whole pages in a range back. They read zero from then on, and a touch makes them resident
   * again. What they held is lost. Returns their bytes. 0: no page lies in it, or the kernel keeps them as they are.
   */
  unused(offset = 0, length: number = this.size - offset): number {
    return this.#discard('unused', offset, length)
  }

  #discard(op: string, offset: number, length: number): number {
    const [from, end] = this.#pages(op, offset, length, this.#system.pageSize)
    return from < end && this.#system.advise(from, end - from, DISCARD) === 0 ? end - from : 0
  }

  /** Makes a range read zero. Its whole pages give their memory back, where the kernel takes it. */
  zero(offset = 0, length: number = this.size - offset): void {
    const given = this.#discard('zero', offset, length)
    const start = this.#place('zero', offset, length)
    const bytes = new Uint8Array(this.#holder.buffer, offset, length)
    if (given === 0) bytes.fill(0)
    else {
      const head = alignUp(start, this.#system.pageSize) - start
      bytes.fill(0, 0, head).fill(0, head + given)
    }
  }

  /** Tells the kernel that larger pages would serve the whole huge pages in a range, or that they would not. */
  hugePage(offset = 0, length: number = this.size - offset, isWanted = true): void {
    const huge = this.#system.hugePageSize
    const [from, end] = this.#pages('hugePage', offset, length, huge === 0 ? this.#system.pageSize : huge)
    // A hint, whose answer is ignored.
    if (huge > 0 && from < end) void this.#system.advise(from, end - from, isWanted ? HUGE : NO_HUGE)
  }

  /**
   * Gives the whole pages in a range their memory now. False: this kernel can't.
   *
   * @throws OutOfMemoryError when there is not so much memory. A part may have its memory then.
   */
  populate(offset = 0, length: number = this.size - offset): boolean {
    const [from, end] = this.#pages('populate', offset, length, this.#system.pageSize)
    if (from >= end) return true
    if (!this.#system.populates) return false
    const answer = this.#system.advise(from, end - from, POPULATE)
    if (answer !== -ENOMEM) return answer === 0
    throw new OutOfMemoryError(`populate: the kernel has no ${end - from} bytes for '${this.#name}'`, {
      op: 'populate',
      syscall: 'madvise',
      errno: ENOMEM,
      errnoName: 'ENOMEM',
      address: from,
      size: end - from,
      hint: hintOfPopulate,
    })
  }

  /** The bytes with memory behind them, of the pages that a range touches. NaN: this host does not tell. */
  resident(offset = 0, length: number = this.size - offset): number {
    const v = this.#place('resident', offset, length)
    const page = this.#system.pageSize
    const from = alignDown(v, page)
    const words = length === 0 ? [] : (this.#system.kernel.residency?.(from, alignUp(v + length, page) - from) ?? null)
    if (words === null) return NaN
    let sum = 0
    for (let i = 0; i < words.length; i += 3) {
      if (((words[i + 2] as number) & residencyBits.resident) !== 0) sum += words[i + 1] as number
    }
    return sum
  }

  /**
   * Gives back what the allocator of a WebAssembly module holds free: takes it by `malloc`, gives the memory of its
   * pages back, and returns it by `free`. Returns the bytes that went back. What the module has allocated is not
   * touched. A module that grows its memory by its own instruction may grow it by a block meanwhile.
   *
   * @throws UsageError ERR_MEMLAYER_OPTION unless `malloc` and `free` are functions. Also when `malloc` returns what is
   * not a block of its own in the memory, or `free` throws. Every block that was taken has been passed to `free` then.
   */
  trim(allocator: ModuleAllocator): number {
    void this.#place('trim', 0, 0)
    const taken = takeFree(this.#holder, allocator, this.#growsByItself, (p, n) => this.#discard('trim', p, n))
    this.#growsByItself ||= taken.hasGrown
    return taken.given
  }

  /** Lets go of the buffer, which keeps its bytes. */
  release(): void {
    this.#isReleased = true
  }

  /** `release()`, at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.release()
  }

  /** The addresses of the whole pages of `unit` bytes in a range. */
  #pages(op: string, offset: number, length: number, unit: number): [Address, Address] {
    const v = this.#place(op, offset, length)
    return [alignUp(v, unit), alignDown(v + length, unit)]
  }

  /** The address of a range, now. @throws UsageError unless all of it is there. */
  #place(op: string, offset: number, length: number): Address {
    const { buffer } = this.#holder
    const size = buffer.byteLength
    if (this.#isReleased || size === 0) this.#gone(op)
    const isRange = Number.isSafeInteger(offset) && offset >= 0 && Number.isSafeInteger(length) && length >= 0
    if (!isRange || offset + length > size) {
      const range = `offset ${String(offset)} and length ${String(length)}`
      const message = `${op}: ${range} do not lie within the ${size} bytes of '${this.#name}'`
      const hint = 'Pass whole numbers of bytes, 0 or more, that end within the buffer.'
      throw new UsageError('ERR_MEMLAYER_RANGE', message, { op, region: this.#name, hint })
    }
    return (this.#system.kernel.addressOf?.(buffer) ?? NaN) + offset
  }

  #gone(op: string): never {
    const [why, hint] = this.#isReleased
      ? ['was released', 'Adopt it again.']
      : ['has no bytes: its buffer was detached, or is empty', 'Adopt the buffer that has the bytes now.']
    throw new UsageError('ERR_MEMLAYER_DISPOSED', `${op}: '${this.#name}' ${why}`, { op, region: this.#name, hint })
  }
}

/**
 * The kernel's advice on a buffer that the engine has allocated: a SharedArrayBuffer, an ArrayBuffer, or what a
 * WebAssembly.Memory has now. A buffer over memory of other code, such as a file's mapping, is not for it: what its
 * pages read after `unused` is up to that memory.
 *
 * @throws UsageError ERR_MEMLAYER_OPTION for any other value, and when the kernel can't tell where a buffer is.
 */
export function adopt(memory: ArrayBufferLike | BufferHolder, options: AdoptOptions = {}): Adopted {
  const { name = 'adopted', kernel, system } = checkOptions('adopt', options, ['name', 'kernel', 'system'])
  if (typeof name !== 'string' || name === '')
    wrong('the name is not a string, or is empty', 'Pass a name, or leave it out.')
  const holder = isBuffer(memory) ? { buffer: memory } : memory
  if (!isBuffer((holder as Partial<BufferHolder> | null | undefined)?.buffer)) {
    wrong('this is not a buffer, and has none', 'Pass a SharedArrayBuffer, an ArrayBuffer or a WebAssembly.Memory.')
  }
  if (ArrayBuffer.isView(holder)) {
    wrong(
      'this is a view',
      'Pass its buffer, view.buffer, if all of that is yours: a small Buffer of Node shares it with others.',
    )
  }
  return new Adopted(holder, name, kernel, system)
}

/**
 * Gives the memory of whole pages of a buffer back. They read zero from then on. False: they keep it. It is the
 * `discard` of os-js's `wasmKernel`, whose WebAssembly memory then shrinks.
 */
export function discardPages(buffer: ArrayBufferLike, offset: number, length: number): boolean {
  return new Adopted({ buffer }, 'discarded').unused(offset, length) === length
}

function wrong(what: string, hint: string): never {
  throw new UsageError('ERR_MEMLAYER_OPTION', `adopt: ${what}`, { op: 'adopt', hint })
}

/** Whether it is a buffer, of any realm. */
function isBuffer(value: unknown): value is ArrayBufferLike {
  return bufferLength(value) !== null
}

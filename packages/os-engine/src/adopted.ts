// A buffer that other code allocated, as a space: which pages of it are whole, and whether it still has them.
import { bufferLength, placeBuffer, sharedLength, alignDown, alignUp, type Address } from '@memlayer/kernel'
import type { Space } from './spaces.js'
import type { EngineKernel, System } from './systems/system.js'

/** A buffer that other code allocated. */
interface AdoptedSpace extends Space {
  readonly isThere: () => boolean
}

/** The whole pages of what `bufferNow` returns. Null: it has none. A number: the kernel can't tell where it is. */
export function spaceOf({ kernel }: System, bufferNow: () => ArrayBufferLike): AdoptedSpace | null | number {
  const buffer = bufferNow()
  const length = bufferLength(buffer) ?? 0
  if (length === 0) return null
  const first = kernel.addressOf?.(buffer) ?? NaN
  if (!(first > 0)) return first
  const start = alignUp(first, kernel.pageSize)
  const end = alignDown(first + length, kernel.pageSize)
  if (start >= end) return null
  const pages = new AdoptedPages(kernel, bufferNow, buffer, first, end - first)
  return {
    get buffer() {
      return pages.buffer
    },
    first,
    start,
    end,
    owned: end - start,
    isThere: () => pages.isThere(),
  }
}

class AdoptedPages {
  readonly #kernel: EngineKernel
  readonly #bufferNow: () => ArrayBufferLike
  readonly #first: Address
  /** The buffer has to be so long. */
  readonly #length: number
  readonly #isShared: boolean
  buffer: ArrayBufferLike

  constructor(
    kernel: EngineKernel,
    bufferNow: () => ArrayBufferLike,
    buffer: ArrayBufferLike,
    first: Address,
    length: number,
  ) {
    this.#kernel = kernel
    this.#bufferNow = bufferNow
    this.#first = first
    this.#length = length
    this.#isShared = sharedLength(buffer) !== null
    this.buffer = buffer
    placeBuffer(buffer, first)
  }

  /** A detached buffer has length 0. A WebAssembly memory has another buffer after each growth. It may have moved. */
  isThere(): boolean {
    const now = this.#bufferNow()
    // Shared memory is never detached, and never shrinks.
    if (this.#isShared && now === this.buffer) return true
    if ((bufferLength(now) ?? 0) < this.#length) return false
    if (now === this.buffer) return true
    if (this.#kernel.addressOf?.(now) !== this.#first) return false
    placeBuffer(now, this.#first)
    this.buffer = now
    return true
  }
}

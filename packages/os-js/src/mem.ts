// JavaScript alone, as a backend: a WebAssembly.Memory is the address space. It answers to
// Go's runtime/mem_js.go, function by function in mem.go's order; core's wrappers are its
// callers. A break that only rises, and, which Go came to have a year later, a list of what
// was freed.
import { checkOptions, type OS, type Refusal, type Traits } from '@memlayer/core'
import { alignUp, isAligned, viewOffset, type Address, type WasmKernel } from '@memlayer/kernel'
import { ENOMEM } from './defs.js'
import { FreeRanges } from './free-ranges.js'
import { hintOfAddress, hintOfGrowth } from './hint.js'
import { wasmKernel } from './wasm-kernel.js'

/** How the backend is made. */
export interface JsOptions {
  /** The kernel below; none given: a WebAssembly.Memory of its own, with 32-bit addresses. */
  readonly kernel?: WasmKernel | undefined
}

/** The backend, which tells when growth has detached what `view` returned. */
export interface JsOS extends OS {
  /**
   * Tells `listener` each time the buffers that `view` returned have been detached: a reservation has grown
   * the memory and is about to return, a module was found to have grown it, or pages with a view are
   * about to leave Ready. Such a buffer has length 0 and reads `undefined`; the bytes are where they
   * were, and `view` gives them anew. (A shared memory's buffers go on, and end where the memory ended.)
   * What a listener throws goes to the host's unhandled rejections. The function returned ends it.
   */
  onDetach(listener: () => void): () => void
}

/** A WebAssembly.Memory's memory over a kernel. */
export function createOS(options: JsOptions = {}): JsOS {
  checkOptions('createOS', options, ['kernel'])
  return new Js(options.kernel ?? wasmKernel())
}

// A typed array of more bytes is refused by some engines.
const CLEAR_AT_ONCE = 2 ** 30

class Js implements JsOS {
  readonly name = 'js'
  readonly traits: Traits
  refusal: Refusal | null = null
  readonly #kernel: WasmKernel
  readonly #pageSize: number
  // Where the layer's memory begins, and where the next growth goes. NaN: nothing was reserved yet.
  #base: Address = NaN
  #reserveEnd: Address = NaN
  // The end of what was ever handed out: above it, bytes are as the engine made them, zero.
  #usedEnd: Address = 0
  // The memory's pages when last seen.
  #pages = 0
  readonly #free = new FreeRanges()
  readonly #listeners = new Set<{ readonly tell: () => void }>()

  constructor(kernel: WasmKernel) {
    this.#kernel = kernel
    this.#pageSize = kernel.pageSize
    const discards = kernel.discard !== undefined
    this.traits = Object.freeze({
      pageSize: kernel.pageSize,
      hugePageSize: 0,
      granularity: kernel.pageSize,
      freesParts: true,
      hints: false,
      reservedTraps: false,
      unusedTraps: false,
      faultTraps: false,
      threadsShare: false,
      unusedReturnsMemory: discards,
      unusedDropsContents: discards,
    })
  }

  sysAllocOS(n: number): Address | null {
    const p = this.sysReserveOS(null, n)
    if (p !== null) this.sysMapOS(p, n)
    return p
  }

  sysUnusedOS(v: Address, n: number): void {
    // A WebAssembly memory keeps its pages, but for engines that can discard some.
    if (this.#kernel.discard !== undefined) this.#clear(v, n)
  }

  sysUsedOS(_v: Address, _n: number): void {
    // Nothing to do: a page that was discarded returns on first touch.
  }

  sysHugePageOS(_v: Address, _n: number): void {
    // Nothing to do: the engine chooses its pages.
  }

  sysFreeOS(v: Address, n: number): void {
    const size = alignUp(n, this.#pageSize)
    // What was not handed out, or is free already, can't be freed; Go's function does nothing at all.
    if (!this.#isHandedOut(v, size)) return
    if (this.#kernel.discard !== undefined) this.#clear(v, size)
    this.#free.add(v, size)
    this.#reserveEnd = this.#free.takeLast(this.#reserveEnd)
  }

  sysFaultOS(_v: Address, _n: number): void {
    // Nothing to do: no page of a WebAssembly memory can be made to trap.
  }

  sysReserveOS(v: Address | null, n: number): Address | null {
    if (v !== null) {
      this.refusal = { hint: hintOfAddress }
      return null
    }
    const size = alignUp(n, this.#pageSize)
    this.#meet(this.#kernel.currentMemory())
    const p = this.#free.take(size) ?? this.#extend(size)
    if (p !== null) this.#zero(p, size)
    return p
  }

  sysMapOS(_v: Address, _n: number): void {
    // Nothing to do: Reserved and Prepared are one here.
  }

  view(v: Address, n: number): ArrayBuffer {
    return this.#kernel.view(v, n)
  }

  detach(_buffer: ArrayBuffer): void {
    // One buffer serves all ranges, and growth by nothing detaches it: every view has to be made anew. A
    // shared memory's buffer stays; what is stale there reads other bytes, and no fault is possible.
    if (this.#kernel.growMemory(0) >= 0) this.#announce()
  }

  onDetach(listener: () => void): () => void {
    // Wrapped, so that a listener that is added twice is two.
    const own = { tell: () => listener() }
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  /** Takes notice of the memory's pages, and at the first reservation of where the module's data ends. */
  #meet(pages: number): void {
    if (Number.isNaN(this.#base)) {
      // Page 0 is never handed out: address 0 is Go's word for refused.
      this.#base = Math.max(alignUp(this.#kernel.end, this.#pageSize), this.#pageSize)
      this.#reserveEnd = this.#base
      this.#pages = pages
    }
    if (pages <= this.#pages) return
    // What a module grew for itself, by its own malloc, is not the layer's to hand out.
    this.#cede(pages)
    this.#pages = pages
    this.#announce()
  }

  /** Takes `size` bytes where the break stands; the memory grows by what is missing there. */
  #extend(size: number): Address | null {
    const kernel = this.#kernel
    let isGrown = false
    let p: Address | null = null
    while (p === null) {
      const needed = (this.#reserveEnd + size) / this.#pageSize
      const missing = needed - this.#pages
      if (missing > 0) {
        const before = kernel.growMemory(missing)
        if (before < 0) {
          const hint = hintOfGrowth(this.#pages, needed, kernel, this.#free)
          this.refusal = { syscall: 'growMemory', errno: ENOMEM, errnoName: 'ENOMEM', hint }
          break
        }
        isGrown = true
        // Another thread with this shared memory was faster: its pages lie before the new ones.
        if (before > this.#pages) this.#cede(before)
        this.#pages = Math.max(before, this.#pages) + missing
      }
      if (this.#reserveEnd + size > this.#pages * this.#pageSize) continue
      p = this.#reserveEnd
      this.#reserveEnd = p + size
    }
    if (isGrown) this.#announce()
    return p
  }

  /** Goes on after the first `pages` pages: those that this layer has not seen grow are somebody else's. */
  #cede(pages: number): void {
    const gap = this.#pages * this.#pageSize - this.#reserveEnd
    if (gap > 0) this.#free.add(this.#reserveEnd, gap)
    this.#reserveEnd = Math.max(pages * this.#pageSize, this.#reserveEnd)
  }

  #announce(): void {
    this.#kernel.resetMemoryDataView()
    for (const { tell } of [...this.#listeners]) {
      try {
        tell()
      } catch (error) {
        void Promise.reject(error)
      }
    }
  }

  #isHandedOut(v: Address, size: number): boolean {
    return (
      v >= this.#base && v + size <= this.#reserveEnd && isAligned(v, this.#pageSize) && !this.#free.touches(v, size)
    )
  }

  /** Makes what is about to be handed out zero. Filling fresh pages would only cost the host memory. */
  #zero(v: Address, n: number): void {
    const used = Math.min(v + n, this.#usedEnd) - v
    // Where the engine discards, a range was made zero when it was freed.
    if (used > 0 && this.#kernel.discard === undefined) this.#fill(v, used)
    this.#usedEnd = Math.max(this.#usedEnd, v + n)
  }

  /** Zeroes [v, v+n) and lets its memory go; where the engine declines, zeroes it all the same. */
  #clear(v: Address, n: number): void {
    const answer = this.#kernel.discard?.(v, n) ?? -1
    if (answer < 0) this.#fill(v, n)
  }

  #fill(v: Address, n: number): void {
    const buffer = this.#kernel.view(v, n)
    const offset = viewOffset(buffer, v, n)
    for (let at = 0; at < n; at += CLEAR_AT_ONCE) {
      new Uint8Array(buffer, offset + at, Math.min(CLEAR_AT_ONCE, n - at)).fill(0)
    }
  }
}

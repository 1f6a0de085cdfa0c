// JavaScript alone, as a backend: a WebAssembly.Memory is the address space. It answers to Go's runtime/mem_js.go,
// function by function in mem.go's order. core's wrappers call it. It has a break that only rises, and a list of
// free ranges, which Go added a year later.
import { checkOptions, type OS, type Refusal, type Traits } from '@memlayer/core'
import { alignUp, isAligned, viewOffset, type Address, type WasmKernel } from '@memlayer/kernel'
import { ENOMEM } from './defs.js'
import { FreeRanges } from './free-ranges.js'
import { hintOfAddress, hintOfDiscard, hintOfGrowth } from './hint.js'
import { wasmKernel } from './wasm-kernel.js'

/** How the backend is made. */
export interface JsOptions {
  /** The kernel below. Default: a WebAssembly.Memory of its own, with 32-bit addresses. */
  readonly kernel?: WasmKernel | undefined
}

/** The backend. It tells when growth has detached the buffers that `view` returned. */
export interface JsOS extends OS {
  /**
   * Calls `listener` each time the buffers that `view` returned have been detached. There are three causes:
   *
   * - A reservation has grown the memory and is about to return.
   * - The layer found that a module has grown the memory.
   * - Pages with a view are about to leave Ready.
   *
   * A detached buffer has length 0 and reads `undefined`. The bytes stay in place, and `view` returns a new buffer
   * over them. A shared memory's buffers are not detached. They keep their old length.
   *
   * An error from a listener becomes an unhandled rejection of the host. The returned function removes the
   * listener.
   */
  onDetach(listener: () => void): () => void
}

/** A WebAssembly.Memory's memory over a kernel. */
export function createOS(options: JsOptions = {}): JsOS {
  const { kernel } = checkOptions('createOS', options, ['kernel'])
  return new Js(kernel ?? wasmKernel())
}

// Some engines refuse a typed array of more bytes.
const CLEAR_BYTES_MAX = 2 ** 30

class Js implements JsOS {
  readonly name = 'js'
  readonly traits: Traits
  refusal: Refusal | null = null
  readonly #kernel: WasmKernel
  readonly #pageSize: number
  // Where the layer's memory begins, and where the next growth goes. NaN before the first reservation.
  #base: Address = NaN
  #reserveEnd: Address = NaN
  // The end of all memory that was ever handed out. Above it, bytes are as the engine made them: zero.
  #usedEnd: Address = 0
  // The memory's pages at the last look.
  #pages = 0
  // Whether the engine has refused to discard pages. They were zeroed by hand.
  #keepsMemory = false
  readonly #free = new FreeRanges()
  readonly #listeners = new Set<{ readonly tell: () => void }>()

  constructor(kernel: WasmKernel) {
    this.#kernel = kernel
    this.#pageSize = kernel.pageSize
    const discards = kernel.discard !== undefined
    const returnsMemory = (): boolean => discards && !this.#keepsMemory
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
      get unusedReturnsMemory() {
        return returnsMemory()
      },
      unusedDropsContents: discards,
    })
  }

  sysAllocOS(n: number): Address | null {
    const p = this.sysReserveOS(null, n)
    if (p !== null) this.sysMapOS(p, n)
    return p
  }

  sysUnusedOS(v: Address, n: number): void {
    // A WebAssembly memory keeps its pages, except on an engine that can discard them.
    if (this.#kernel.discard === undefined || this.#clear(v, n)) return
    this.#keepsMemory = true
    this.refusal = { syscall: 'discard', hint: hintOfDiscard }
  }

  sysUsedOS(_v: Address, _n: number): void {
    // Nothing to do: a discarded page returns on first touch.
  }

  sysHugePageOS(_v: Address, _n: number): void {
    // Nothing to do: the engine chooses its pages.
  }

  sysFreeOS(v: Address, n: number): void {
    const size = alignUp(n, this.#pageSize)
    // A range that was not handed out, or is free already, can't be freed. Go's function does nothing at all.
    if (!this.#isHandedOut(v, size)) return
    if (this.#kernel.discard !== undefined) void this.#clear(v, size)
    this.#free.add(v, size)
    this.#reserveEnd = this.#free.takeLast(this.#reserveEnd)
  }

  sysFaultOS(_v: Address, _n: number): void {
    // Nothing to do: a page of a WebAssembly memory can't be made to trap.
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
    // Nothing to do: Reserved and Prepared are one state here.
  }

  view(v: Address, n: number): ArrayBuffer {
    return this.#kernel.view(v, n)
  }

  detach(_buffer: ArrayBuffer): void {
    // One buffer serves all ranges, and growth by 0 pages detaches it. So every view has to be made again. A shared
    // memory's buffer stays. A stale view of it reads other bytes, but can't fault.
    if (this.#kernel.growMemory(0) >= 0) this.#announce()
  }

  onDetach(listener: () => void): () => void {
    // Wrapped, so that a listener that is added twice is called twice.
    const own = { tell: () => listener() }
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  /** Notes the memory's pages. At the first reservation, also notes where the module's data ends. */
  #meet(pages: number): void {
    if (Number.isNaN(this.#base)) {
      // Page 0 is never handed out, because address 0 means refused in Go.
      this.#base = Math.max(alignUp(this.#kernel.end, this.#pageSize), this.#pageSize)
      this.#reserveEnd = this.#base
      this.#pages = pages
    }
    if (pages <= this.#pages) return
    // Pages that a module grew with its own malloc are not the layer's to hand out.
    this.#cede(pages)
    this.#pages = pages
    this.#announce()
  }

  /** Takes `size` bytes at the break. Grows the memory by the missing pages. */
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
        // Another thread grew this shared memory first, so its pages are before the new ones.
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

  /** Moves the break behind the first `pages` pages. Pages that this layer did not grow belong to other code. */
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

  /**
   * Zeroes a range before it is handed out. Fresh pages are skipped, because filling them would only cost the host
   * memory.
   */
  #zero(v: Address, n: number): void {
    const used = Math.min(v + n, this.#usedEnd) - v
    // If the engine discards, the range was zeroed when it was freed.
    if (used > 0 && this.#kernel.discard === undefined) this.#fill(v, used)
    this.#usedEnd = Math.max(this.#usedEnd, v + n)
  }

  /** Zeroes [v, v+n) and gives its memory back. False: the engine refused, so it only zeroed. */
  #clear(v: Address, n: number): boolean {
    if ((this.#kernel.discard?.(v, n) ?? -1) >= 0) return true
    this.#fill(v, n)
    return false
  }

  #fill(v: Address, n: number): void {
    const buffer = this.#kernel.view(v, n)
    const offset = viewOffset(buffer, v, n)
    for (let at = 0; at < n; at += CLEAR_BYTES_MAX) {
      new Uint8Array(buffer, offset + at, Math.min(CLEAR_BYTES_MAX, n - at)).fill(0)
    }
  }
}

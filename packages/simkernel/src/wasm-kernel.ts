// WebAssembly: one memory that only grows. It is the engine's own WebAssembly.Memory, so growth detaches its buffer
// and the buffer can't be transferred, as in real use. The maximum and the refusals are the simulator's.
import { alignUp, isAligned, type Address, type WasmKernel } from '@memlayer/kernel'
import { describe } from './describe.js'
import { PageFault, SimulationError, type Access } from './errors.js'
import type { WasmOptions } from './options.js'
import { checkLimit, checkSeed, Plan, wrong, type Counters, type PlannedFault } from './plan.js'
import type { Residency, SimulatedMapping, SimulatedWasmKernel } from './simulated.js'

interface Memory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

// The types of the browser and of Node are not available here.
declare const WebAssembly: { readonly Memory: new (descriptor: { initial: number; maximum: number }) => Memory }

const PAGE = 65536

/** A simulated WebAssembly memory. */
export class SimulatedWasm implements SimulatedWasmKernel, WasmKernel {
  readonly os = 'wasm'
  readonly seed: number
  readonly pageSize: number = PAGE
  readonly end: Address
  maximum: number
  readonly address = 'i32' as const
  readonly discard?: (addr: Address, length: number) => number
  readonly #memory: Memory
  readonly #maximumOfEngine: number
  readonly #plan: Plan
  // Numbers of discarded pages. A page leaves when it is seen with a byte in it.
  readonly #discarded = new Set<number>()

  constructor({ seed = 1, limits = {}, plan = [], layout = {}, discards = false }: WasmOptions) {
    this.seed = checkSeed(seed)
    this.end = layout.end ?? 0x8000
    const initial = layout.pages ?? Math.max(16, alignUp(this.end, PAGE) / PAGE)
    this.maximum = Math.min(checkLimit('limits.pages', limits.pages ?? 65536), 65536)
    if (!(Number.isInteger(initial) && initial <= this.maximum && this.end <= initial * PAGE)) {
      wrong('layout.pages', initial, `Pass a whole number of pages that holds the data and is at most ${this.maximum}.`)
    }
    this.#plan = new Plan('linux', PAGE, discards ? ['growMemory', 'discard'] : ['growMemory'], plan)
    this.#maximumOfEngine = this.maximum
    this.#memory = new WebAssembly.Memory({ initial, maximum: this.maximum })
    if (discards)
      this.discard = (addr, length) =>
        this.#plan.make('discard', [addr, length], ([v = 0, n = 0]) => this.#discard(v, n))
  }

  currentMemory(): number {
    return this.#plan.make('currentMemory', [], () => this.#memory.buffer.byteLength / PAGE)
  }

  growMemory(pages: number): number {
    return this.#plan.make('growMemory', [pages], ([more = 0]) => this.#grow(more))
  }

  resetMemoryDataView(): void {
    this.#plan.make('resetMemoryDataView', [], () => 0)
  }

  view(_addr: Address, _length: number): ArrayBuffer {
    return this.#memory.buffer
  }

  setLimits({ pages }: NonNullable<WasmOptions['limits']>): void {
    if (pages === undefined) return
    // The engine has its maximum from the start, so there is no higher one.
    this.maximum = Math.min(checkLimit('limits.pages', pages), this.#maximumOfEngine)
  }

  get counters(): Counters {
    return this.#plan.counters(0)
  }

  fail(fault: PlannedFault): void {
    this.#plan.add(fault)
  }

  touch(addr: Address, length: number, access: Access = 'write'): void {
    const size = this.#memory.buffer.byteLength
    if (addr < 0 || addr + length > size)
      throw new PageFault(Math.max(addr, size), access, 'past the end of the memory')
    if (access === 'read' || this.#discarded.size === 0) return
    for (let page = Math.floor(addr / PAGE); page * PAGE < addr + length; page++) this.#discarded.delete(page)
  }

  read(addr: Address, target: Uint8Array): void {
    this.touch(addr, target.length, 'read')
    target.set(new Uint8Array(this.#memory.buffer, addr, target.length))
  }

  write(addr: Address, source: Uint8Array): void {
    this.touch(addr, source.length, 'write')
    new Uint8Array(this.#memory.buffer).set(source, addr)
  }

  takeForfeit(): void {
    // A WebAssembly memory has no forfeit pages.
  }

  residence(addr: Address, length: number): Residency {
    // A memory's pages count from when they are grown, because the engine takes none of them back by itself.
    const end = Math.min(addr + length, this.#memory.buffer.byteLength)
    let resident = Math.max(end - addr, 0)
    for (const page of this.#discarded) {
      const [from, to] = [Math.max(addr, page * PAGE), Math.min(end, (page + 1) * PAGE)]
      if (from >= to) continue
      if (this.#isEmpty(page)) resident -= to - from
      else this.#discarded.delete(page)
    }
    return { resident, forfeit: 0, huge: 0 }
  }

  #isEmpty(page: number): boolean {
    // A loop over words is twice as fast as `every` over them, and a history looks at thousands of pages.
    const words = new Int32Array(this.#memory.buffer, page * PAGE, PAGE / Int32Array.BYTES_PER_ELEMENT)
    for (let i = 0; i < words.length; i++) if (words[i] !== 0) return false
    return true
  }

  maps(): SimulatedMapping[] {
    const end = this.#memory.buffer.byteLength
    const residentBytes = (): number => this.residence(0, end).resident
    return [
      {
        start: 0,
        end,
        permissions: 'rw-',
        flags: [],
        // It reads every page that was discarded, and most callers want the size alone.
        get resident() {
          return residentBytes()
        },
        forfeit: 0,
        huge: 0,
      },
    ]
  }

  describe(): string {
    return describe(this)
  }

  /** What WebAssembly.Memory.prototype.discard would do: whole pages read zero and cost nothing. */
  #discard(addr: Address, length: number): number {
    const isWhole = isAligned(addr, PAGE) && isAligned(length, PAGE)
    if (!isWhole || addr < 0 || length < 0 || addr + length > this.#memory.buffer.byteLength) return -1
    new Uint8Array(this.#memory.buffer, addr, length).fill(0)
    for (let page = addr / PAGE; page < (addr + length) / PAGE; page++) this.#discarded.add(page)
    return 0
  }

  #grow(pages: number): number {
    const before = this.#memory.buffer.byteLength / PAGE
    if (!(Number.isInteger(pages) && pages >= 0 && before + pages <= this.maximum)) return -1
    try {
      return this.#memory.grow(pages)
    } catch (error) {
      throw new SimulationError(
        'ERR_MEMLAYER_SIM_LIMIT',
        `this JavaScript engine does not grow a memory to ${before + pages} pages`,
        'Set limits.pages to what your tests need, so that the answer is the same everywhere.',
        error,
      )
    }
  }
}

// A WebAssembly.Memory behind the WasmKernel port: one of its own, or one that is handed in.
// It answers to currentMemory and growMemory in Go's runtime/sys_wasm.s. No call throws.
import { OutOfMemoryError, UsageError } from '@memlayer/core'
import { alignUp, type Address, type WasmKernel } from '@memlayer/kernel'
import { MAX_PAGES_32, MAX_PAGES_64, PAGE_SIZE } from './defs.js'
import { discardOf } from './discard.js'
import { memoryConstructor, type MemoryDescriptor, type WasmMemory } from './wasm-memory.js'

/** How the kernel is made. Sizes are pages of 64 KiB, as in WebAssembly.Memory's own descriptor. */
export interface WasmKernelOptions {
  /** The memory to work in, a module's say; none given: a new one. */
  readonly memory?: WasmMemory
  /** How wide addresses are. `'i64'` reaches beyond 4 GiB. Default: the memory's own; of a new one `'i32'`. */
  readonly address?: 'i32' | 'i64'
  /** Pages that a new memory has from the start. Growth up to there detaches nothing. Default 1. */
  readonly initial?: number
  /** The most pages that the memory may have. Default: as many as the engine gives; 65536 of them are 4 GiB. */
  readonly maximum?: number
  /**
   * Whether a new memory can be posted to workers, which then see the same bytes; needs `maximum`, and in a browser
   * a cross-origin isolated page. Its buffers are SharedArrayBuffers, which growth does not detach. Default false.
   */
  readonly shared?: boolean
  /**
   * Where the data of a memory that is handed in ends, in bytes: what lies above is the layer's, and is
   * zeroed here. Default: what it has when the layer first reserves; only what is grown from then on is the layer's.
   */
  readonly end?: Address
}

/**
 * A WebAssembly.Memory behind the port, for createOS to take as its kernel.
 *
 * @throws UsageError ERR_MEMLAYER_OPTION for an option that is wrong, or that this engine does not have.
 * @throws OutOfMemoryError ERR_MEMLAYER_OUT_OF_MEMORY when the engine makes no memory of that size.
 */
export function wasmKernel(options: WasmKernelOptions = {}): WasmKernel {
  checkOptions(options)
  const given = options.memory
  const address = options.address ?? (given === undefined ? 'i32' : widthOf(given))
  const maximum = options.maximum ?? (address === 'i32' ? MAX_PAGES_32 : undefined)
  const most = maximum ?? MAX_PAGES_64
  const memory = given ?? newMemory(options, address)
  const discard = discardOf(memory, () => newMemory({ initial: 3, maximum: 3, shared: isShared(memory) }, address))
  const pages = (): number => memory.buffer.byteLength / PAGE_SIZE
  // A new memory keeps its first page: Go's word for refused is address 0.
  const end = options.end ?? (given === undefined ? 1 : undefined)
  if (given !== undefined && end !== undefined) clearFrom(given, end)

  return {
    pageSize: PAGE_SIZE,
    get end(): Address {
      return end ?? memory.buffer.byteLength
    },
    ...(maximum === undefined ? {} : { maximum }),
    address,
    currentMemory: pages,
    growMemory(delta: number): number {
      if (!(Number.isInteger(delta) && delta >= 0 && pages() + delta <= most)) return -1
      try {
        return Number(memory.grow(address === 'i64' ? BigInt(delta) : delta))
      } catch {
        return -1
      }
    },
    resetMemoryDataView(): void {
      // Nothing is kept that could be stale: view() asks the memory each time.
    },
    view: (_addr: Address, _length: number): ArrayBuffer => memory.buffer as ArrayBuffer,
    ...(discard === null ? {} : { discard }),
  }
}

function newMemory({ initial = 1, maximum, shared = false }: WasmKernelOptions, address: 'i32' | 'i64'): WasmMemory {
  const Memory = memoryConstructor()
  if (Memory === undefined) {
    const hint = 'Hand a kernel to createOS({ kernel }), or start it without --jitless.'
    throw wrongOption('this engine has no WebAssembly', hint)
  }
  const wide = (pages: number): number | bigint => (address === 'i64' ? BigInt(pages) : pages)
  const descriptor: MemoryDescriptor = {
    initial: wide(initial),
    ...(maximum === undefined ? {} : { maximum: wide(maximum) }),
    ...(address === 'i64' ? { address } : {}),
    ...(shared ? { shared } : {}),
  }
  try {
    return new Memory(descriptor)
  } catch (cause) {
    if (!(cause instanceof RangeError)) {
      const hint = '64-bit memories came with Node 24, Chrome 133 and Firefox 134; older engines have 32-bit ones.'
      throw wrongOption(`this engine makes no memory with address '${address}'`, hint, cause)
    }
    const size = `${initial} to ${maximum ?? 'any number of'} pages`
    throw new OutOfMemoryError(`wasmKernel: the engine makes no memory of ${size}`, {
      hint: 'Ask for a smaller maximum: many engines reserve address space for all of it at once.',
      cause,
    })
  }
}

/**
 * The width of a memory's addresses. It is asked to grow by 2^48 bytes, as a bigint, which none can: a
 * 32-bit memory takes no bigint, a 64-bit one says that it is too much, and neither is changed.
 */
function widthOf(memory: WasmMemory): 'i32' | 'i64' {
  try {
    memory.grow(BigInt(MAX_PAGES_64))
  } catch (error) {
    // By name: a memory of another realm throws that realm's TypeError.
    if ((error as Error).name === 'TypeError') return 'i32'
  }
  return 'i64'
}

/** By name too: a page that is not isolated has shared memories, and no SharedArrayBuffer to compare with. */
function isShared(memory: WasmMemory): boolean {
  return Object.prototype.toString.call(memory.buffer) === '[object SharedArrayBuffer]'
}

/** Only zeroes are handed out, and what a module left there is none. */
function clearFrom(memory: WasmMemory, end: Address): void {
  const start = Math.min(alignUp(end, PAGE_SIZE), memory.buffer.byteLength)
  new Uint8Array(memory.buffer, start).fill(0)
}

function checkOptions({ memory, address, initial, maximum, shared, end }: WasmKernelOptions): void {
  const most = address === 'i64' ? MAX_PAGES_64 : MAX_PAGES_32
  const isPages = (n: number): boolean => Number.isInteger(n) && n >= 0 && (n <= most || memory !== undefined)
  if (address !== undefined && address !== 'i32' && address !== 'i64') {
    throw wrongOption(`address is ${String(address)}`, "Pass 'i32' or 'i64'.")
  }
  for (const [name, n] of [
    ['initial', initial],
    ['maximum', maximum],
  ] as const) {
    if (n === undefined || isPages(n)) continue
    const hint = `Pass whole pages of 64 KiB, ${most} at most (address: 'i64' takes more).`
    throw wrongOption(`${name} is ${String(n)}`, hint)
  }
  const first = initial ?? (memory === undefined ? 1 : 0)
  if (maximum !== undefined && maximum < first) {
    throw wrongOption(`maximum is ${maximum} and initial is ${first}`, 'Pass a maximum that is not below initial.')
  }
  if (memory === undefined) {
    if (end !== undefined) {
      throw wrongOption('end is given, and memory is not', 'A new memory has no data: leave end out.')
    }
    if (shared === true && maximum === undefined) {
      throw wrongOption('shared needs maximum', 'Pass the most pages it may have.')
    }
    return
  }
  if (initial !== undefined || shared !== undefined) {
    const hint = 'A memory that is handed in has its own: leave them out.'
    throw wrongOption('initial and shared are for a new memory', hint)
  }
  const bytes = memory?.buffer?.byteLength
  if (typeof memory?.grow !== 'function' || typeof bytes !== 'number' || bytes % PAGE_SIZE !== 0) {
    throw wrongOption('memory is no WebAssembly.Memory', 'Pass one, or a memory that a module exports.')
  }
  if (end !== undefined && !(Number.isSafeInteger(end) && end >= 0)) {
    const hint = 'Pass the address, in bytes, at which the data of the module ends: __heap_base.'
    throw wrongOption(`end is ${String(end)}`, hint)
  }
}

function wrongOption(what: string, hint: string, cause?: unknown): UsageError {
  return new UsageError('ERR_MEMLAYER_OPTION', `wasmKernel: ${what}`, {
    hint,
    ...(cause === undefined ? {} : { cause }),
  })
}

// A WebAssembly.Memory behind the WasmKernel port: a new one, or one that is handed in. It answers to currentMemory
// and growMemory in Go's runtime/sys_wasm.s. A call never throws.
import { OutOfMemoryError, UsageError } from '@memlayer/core'
import { alignUp, type Address, type WasmKernel } from '@memlayer/kernel'
import { MAX_PAGES_32, MAX_PAGES_64, PAGE_SIZE } from './defs.js'
import { discardOf, type DiscardPages } from './discard.js'
import { memoryConstructor, type MemoryDescriptor, type WasmMemory } from './wasm-memory.js'

/** How the kernel is made. Sizes are pages of 64 KiB, as in WebAssembly.Memory's own descriptor. */
export interface WasmKernelOptions {
  /** The memory to work in, for example a module's. Default: a new one. */
  readonly memory?: WasmMemory
  /**
   * How wide addresses are. `'i64'` reaches beyond 4 GiB. Default: the memory's own width, or `'i32'` for a new
   * memory.
   */
  readonly address?: 'i32' | 'i64'
  /** Pages that a new memory has from the start. Growth up to there detaches nothing. Default 1. */
  readonly initial?: number
  /** The most pages that the memory may have. Default: as many as the engine gives. 65536 pages are 4 GiB. */
  readonly maximum?: number
  /**
   * Whether a new memory can be posted to workers, which then see the same bytes. It needs `maximum`, and in a
   * browser a cross-origin isolated page. Its buffers are SharedArrayBuffers, which growth does not detach. Default
   * false.
   */
  readonly shared?: boolean
  /**
   * The end of the data in a memory that is handed in, in bytes. The memory above it is the layer's and is zeroed
   * here. Default: the size at the layer's first reservation. Then only later growth is the layer's.
   */
  readonly end?: Address
  /**
   * Gives the memory of whole pages back, which read zero then: `discardPages` of `@memlayer/os-engine`, where foreign
   * calls can be had. It is used once it was seen to zero one page of three. Default: the engine's own
   * `WebAssembly.Memory.prototype.discard`, which no release has yet.
   */
  readonly discard?: DiscardPages
}

/**
 * A WebAssembly.Memory behind the port, for createOS to take as its kernel.
 *
 * @throws UsageError ERR_MEMLAYER_OPTION for a wrong option, or for one that this engine does not support.
 *
 * @throws OutOfMemoryError ERR_MEMLAYER_OUT_OF_MEMORY when the engine can't make a memory of that size.
 */
export function wasmKernel(options: WasmKernelOptions = {}): WasmKernel {
  checkWasmOptions(options)
  const given = options.memory
  const address = options.address ?? (given === undefined ? 'i32' : widthOf(given))
  const maximum = options.maximum ?? (address === 'i32' ? MAX_PAGES_32 : undefined)
  const most = maximum ?? MAX_PAGES_64
  const memory = given ?? newMemory(options, address)
  const scratch = (): WasmMemory => newMemory({ initial: 3, maximum: 3, shared: isShared(memory) }, address)
  const discard = discardOf(memory, scratch, options.discard)
  const pages = (): number => memory.buffer.byteLength / PAGE_SIZE
  // A new memory keeps its first page, because address 0 means refused in Go.
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
      // Nothing to do: view() asks the memory each time, so nothing can be stale.
    },
    view: (_addr: Address, _length: number): ArrayBuffer => memory.buffer as ArrayBuffer,
    ...(discard === null ? {} : { discard }),
  }
}

function newMemory({ initial = 1, maximum, shared = false }: WasmKernelOptions, address: 'i32' | 'i64'): WasmMemory {
  const Memory = memoryConstructor()
  if (Memory === undefined) {
    const hint = 'Hand a kernel to createOS({ kernel }), or start the engine without --jitless.'
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
      const hint =
        address === 'i64'
          ? "Pass address 'i32', or use Node 24, Chrome 133 or Firefox 134, or a later version. " +
            'Older engines have only 32-bit memories.'
          : "Look at the cause, which is the engine's own error."
      throw wrongOption(`this engine can't make a memory with address '${address}'`, hint, cause)
    }
    const size = `${initial} to ${maximum ?? 'any number of'} pages`
    throw new OutOfMemoryError(`wasmKernel: the engine can't make a memory of ${size}`, {
      hint: 'Ask for a smaller maximum. Many engines reserve address space for all of it at once.',
      cause,
    })
  }
}

/**
 * The width of a memory's addresses. Asks the memory to grow by 2^48 bytes, as a bigint, which always fails. A
 * 32-bit memory refuses the bigint, a 64-bit memory refuses the size, and neither changes.
 */
function widthOf(memory: WasmMemory): 'i32' | 'i64' {
  try {
    memory.grow(BigInt(MAX_PAGES_64))
  } catch (error) {
    // Compared by name, because a memory of another realm throws that realm's TypeError.
    if ((error as Error).name === 'TypeError') return 'i32'
  }
  return 'i64'
}

/**
 * Whether a memory is shared. Compared by name, because a page that is not isolated has shared memories but no
 * SharedArrayBuffer.
 */
function isShared(memory: WasmMemory): boolean {
  return Object.prototype.toString.call(memory.buffer) === '[object SharedArrayBuffer]'
}

/**
 * Zeroes the memory above `end`, because only zeroed memory is handed out and a module may have left bytes there.
 */
function clearFrom(memory: WasmMemory, end: Address): void {
  const start = Math.min(alignUp(end, PAGE_SIZE), memory.buffer.byteLength)
  new Uint8Array(memory.buffer, start).fill(0)
}

function checkWasmOptions({ memory, address, initial, maximum, shared, end, discard }: WasmKernelOptions): void {
  if (discard !== undefined && typeof discard !== 'function') {
    throw wrongOption(`discard is ${String(discard)}`, 'Pass discardPages of @memlayer/os-engine, or leave it out.')
  }
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
    const isFor64 = address !== 'i64' && Number.isInteger(n) && n > most && n <= MAX_PAGES_64
    const wider = isFor64 ? " A memory with address 'i64' may have more." : ''
    const hint = `Pass a whole number of pages of 64 KiB, ${most} at most.${wider}`
    throw wrongOption(`${name} is ${String(n)}`, hint)
  }
  const first = initial ?? (memory === undefined ? 1 : 0)
  if (maximum !== undefined && maximum < first) {
    throw wrongOption(`maximum is ${maximum} and initial is ${first}`, 'Pass a maximum of at least initial.')
  }
  if (memory === undefined) {
    if (end !== undefined) {
      throw wrongOption('end is given without memory', 'Leave end out, because a new memory has no data.')
    }
    if (shared === true && maximum === undefined) {
      throw wrongOption('shared needs maximum', 'Pass maximum, the largest number of pages that the memory may have.')
    }
    return
  }
  if (initial !== undefined || shared !== undefined) {
    const hint = 'Leave them out, because a memory that is handed in has its own.'
    throw wrongOption('initial or shared is given together with memory', hint)
  }
  const bytes = memory?.buffer?.byteLength
  if (typeof memory?.grow !== 'function' || typeof bytes !== 'number' || bytes % PAGE_SIZE !== 0) {
    throw wrongOption(
      'memory is not a WebAssembly.Memory',
      'Pass a WebAssembly.Memory, for example one that a module exports.',
    )
  }
  if (end !== undefined && !(Number.isSafeInteger(end) && end >= 0)) {
    const hint = "Pass the address where the module's data ends, in bytes (__heap_base)."
    throw wrongOption(`end is ${String(end)}`, hint)
  }
}

function wrongOption(what: string, hint: string, cause?: unknown): UsageError {
  return new UsageError('ERR_MEMLAYER_OPTION', `wasmKernel: ${what}`, {
    hint,
    ...(cause === undefined ? {} : { cause }),
  })
}

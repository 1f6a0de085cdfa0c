// What a WebAssembly module's allocator holds free, and how its pages go back: as blocks that are allocated, advised
// and freed. The allocator finds them as it finds any block that a program has written to. adopt.ts calls it.
import { UsageError } from '@memlayer/core'
import type { BufferHolder } from './adopt.js'

/** The allocator of a module. */
export interface ModuleAllocator {
  /** Allocates bytes: the module's own function. 0, or an error: there are none. */
  malloc(bytes: number): number | bigint
  /** Frees a block of so many bytes. */
  free(pointer: number, bytes: number): void
}

/** What became of it. */
export interface Taken {
  /** Bytes that went back. */
  readonly given: number
  /** Whether the module has grown its memory, which it was not to. */
  readonly hasGrown: boolean
}

const smallest = 2 ** 16
const largest = 2 ** 20
// A large block leaves fewer pages at its ends.
const sizes = [largest, 2 ** 18, smallest]

/**
 * The blocks of a module that grows by itself. It grows by one of them at each call, so they are about a thousandth of
 * its memory.
 */
function sizeFor(bytes: number): number {
  return Math.min(Math.max(2 ** Math.floor(Math.log2(bytes / 1024)), smallest), largest)
}

/** Takes what is free, gives the pages of each block back by `unused`, and frees the blocks. */
export function takeFree(
  holder: BufferHolder,
  allocator: ModuleAllocator,
  growsByItself: boolean,
  unused: (offset: number, length: number) => number,
): Taken {
  expectFunctions(allocator)
  const blocks: [number, number][] = []
  let [given, hasGrown] = [0, false]
  const allowGrowth = refuseGrowth(holder)
  try {
    for (const size of growsByItself ? [sizeFor(holder.buffer.byteLength)] : sizes) {
      // Once it has grown, only the smallest blocks are asked for.
      if (hasGrown && size > smallest) continue
      for (let p = block(holder, allocator, size); p !== null; p = block(holder, allocator, size)) {
        blocks.push([p.at, size])
        if (p.isNew) hasGrown = true
        else given += unused(p.at, size)
        if (p.isNew) break
      }
    }
  } finally {
    allowGrowth()
    // The last one first: neighbours merge, and the free list is left as it was found.
    for (const [p, size] of blocks.toReversed()) allocator.free(p, size)
  }
  return { given, hasGrown }
}

/** One block; null: the allocator has none. */
function block(holder: BufferHolder, { malloc }: ModuleAllocator, size: number): { at: number; isNew: boolean } | null {
  const before = holder.buffer.byteLength
  let p: number
  try {
    p = Number(malloc(size))
  } catch {
    // Some allocators trap where memory does not grow.
    return null
  }
  // A pointer beyond 2 GiB comes as a negative number of 32 bits.
  const at = p < 0 ? p + 2 ** 32 : p
  return at > 0 ? { at, isNew: holder.buffer.byteLength !== before } : null
}

/** Until the function that it returns is called, JavaScript can't grow the memory. Emscripten's modules grow by it. */
function refuseGrowth(holder: BufferHolder): () => void {
  const own = Object.getOwnPropertyDescriptor(holder, 'grow')
  const refuse = (): never => {
    throw new RangeError('the memory does not grow while it is trimmed')
  }
  const isSet = Reflect.defineProperty(holder, 'grow', {
    // A descriptor that inherited a getter could not have a value.
    __proto__: null,
    value: refuse,
    configurable: true,
    writable: true,
  } as PropertyDescriptor)
  return () => {
    if (!isSet) return
    if (own === undefined) Reflect.deleteProperty(holder, 'grow')
    else Reflect.defineProperty(holder, 'grow', own)
  }
}

function expectFunctions({ malloc, free }: Partial<ModuleAllocator>): void {
  if (typeof malloc === 'function' && typeof free === 'function') return
  throw new UsageError('ERR_MEMLAYER_OPTION', 'trim: malloc and free have to be functions', {
    op: 'trim',
    hint: "Pass the module's own allocator: { malloc: module._malloc, free: module._free }.",
  })
}

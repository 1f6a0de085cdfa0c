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

/** A block that the allocator has handed out. */
interface Block {
  readonly at: number
  readonly size: number
  /** Whether the memory has grown for it. Its pages are new, and have nothing to give back. */
  readonly isNew: boolean
}

/**
 * Takes what is free, gives the pages of each block back by `unused`, and frees the blocks. Nothing is given back
 * before all blocks are known to be apart.
 *
 * @throws UsageError ERR_MEMLAYER_OPTION when `malloc` returns what can't be a block, or `free` throws.
 */
export function takeFree(
  holder: BufferHolder,
  allocator: ModuleAllocator,
  growsByItself: boolean,
  unused: (offset: number, length: number) => number,
): Taken {
  expectFunctions(allocator)
  const blocks = new Blocks()
  const allowGrowth = refuseGrowth(holder)
  let [given, isDone] = [0, false]
  try {
    const hasGrown = takeAll(holder, allocator, growsByItself, blocks)
    for (const { at, size, isNew } of blocks.list) if (!isNew) given += unused(at, size)
    isDone = true
    return { given, hasGrown }
  } finally {
    allowGrowth()
    const failure = freeAll(allocator, blocks)
    // An error of malloc says more.
    if (isDone && failure !== null) freeFailed(failure.error)
  }
}

/** Takes all that is free. Returns whether the memory has grown. */
function takeAll(holder: BufferHolder, { malloc }: ModuleAllocator, growsByItself: boolean, blocks: Blocks): boolean {
  let hasGrown = false
  for (const size of growsByItself ? [sizeFor(holder.buffer.byteLength)] : sizes) {
    // Once it has grown, only the smallest blocks are asked for.
    if (hasGrown && size > smallest) continue
    for (;;) {
      const before = holder.buffer.byteLength
      const at = blockOf(malloc, size)
      if (at === 0) break
      const length = holder.buffer.byteLength
      blocks.add(at, size, length, length !== before)
      if (length === before) continue
      hasGrown = true
      break
    }
  }
  return hasGrown
}

/** Where one block begins. 0: the allocator has none. @throws UsageError for what is not an address. */
function blockOf(malloc: ModuleAllocator['malloc'], size: number): number {
  let given: unknown
  try {
    given = malloc(size)
  } catch {
    // Some allocators trap where memory does not grow.
    return 0
  }
  const p = typeof given === 'bigint' ? Number(given) : given
  // A pointer beyond 2 GiB comes as a negative number of 32 bits.
  if (typeof p === 'number' && Number.isSafeInteger(p) && p >= -(2 ** 31)) return p < 0 ? p + 2 ** 32 : p
  const shown =
    typeof given === 'number' || typeof given === 'bigint' ? String(given) : `a value of type ${typeof given}`
  return wrongBlock(`${shown}, which is not an address`, 'an integer. 0 says that there is no such block')
}

/** The blocks that were handed out. No two have a byte in common, so there is an end to them. */
class Blocks {
  readonly list: Block[] = []
  // By the smallest block that they begin in. No two begin in one, because they would have bytes in common.
  readonly #starts = new Map<number, Block>()

  /** Adds a block in a memory of `length` bytes. @throws UsageError when it lies outside, or on another one. */
  add(at: number, size: number, length: number, isNew: boolean): void {
    const block = { at, size, isNew }
    const other = this.#on(at, at + size)
    // It is given back by `free` all the same. A pointer is freed once.
    if (other?.at !== at) this.list.push(block)
    if (at + size > length) wrongBlock(`${at} for ${size} bytes, beyond the ${length} bytes of the memory`, ADVICE)
    if (other !== undefined)
      wrongBlock(
        `${at} for ${size} bytes, a part of the ${other.size} bytes at ${other.at} that it has not freed`,
        ADVICE,
      )
    this.#starts.set(Math.floor(at / smallest), block)
  }

  /** A block that has a byte of [at, end). */
  #on(at: number, end: number): Block | undefined {
    const last = Math.floor((end - 1) / smallest)
    for (let i = Math.floor((at - largest) / smallest); i <= last; i++) {
      const found = this.#starts.get(i)
      if (found !== undefined && found.at < end && found.at + found.size > at) return found
    }
    return undefined
  }
}

const ADVICE = "the module's own addresses, each of a block that is free"

/** Frees every block. Returns the first error; null: there was none. */
function freeAll({ free }: ModuleAllocator, { list }: Blocks): { readonly error: unknown } | null {
  let failure: { readonly error: unknown } | null = null
  // The last one first: neighbours merge, and the free list is left as it was found.
  for (const { at, size } of list.toReversed()) {
    try {
      free(at, size)
    } catch (error) {
      failure ??= { error }
    }
  }
  return failure
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

function expectFunctions(allocator: Partial<ModuleAllocator> | null | undefined): void {
  const { malloc, free } = allocator ?? {}
  if (typeof malloc === 'function' && typeof free === 'function') return
  throw new UsageError('ERR_MEMLAYER_OPTION', 'trim: malloc and free have to be functions', {
    op: 'trim',
    hint: "Pass the module's own allocator: { malloc: module._malloc, free: module._free }.",
  })
}

/** @throws UsageError ERR_MEMLAYER_OPTION always. */
function wrongBlock(what: string, wanted: string): never {
  const message = `trim: malloc returned ${what}`
  throw new UsageError('ERR_MEMLAYER_OPTION', message, { op: 'trim', hint: `Return from malloc ${wanted}.` })
}

/** @throws UsageError ERR_MEMLAYER_OPTION always. */
function freeFailed(cause: unknown): never {
  const said = cause instanceof Error && cause.message !== '' ? `: ${cause.message}` : ''
  const hint =
    'Look at the module, because it may have lost the block. The pages went back, and other blocks were freed.'
  throw new UsageError('ERR_MEMLAYER_OPTION', `trim: free threw${said}`, { op: 'trim', hint, cause })
}

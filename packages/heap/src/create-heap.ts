// createHeap: looks at the options, and puts a heap together.
import { checkOptions, printByText, type HugePagePolicy, type Memory, type SysMemStat } from '@memlayer/core'
import type { CheckOptions } from './checker.js'
import { Heap } from './heap.js'
import { expectMaximum, expectMemory, wrongOption } from './misuse.js'
import { Room } from './room.js'
import { createSharedHeap, type SharedHeapOptions } from './shared/attach.js'
import type { SharedHeap } from './shared/shared-heap.js'

/** How a heap is created. */
export interface HeapOptions {
  /** What people call it: its region, its category and its reclaimer. Default `'heap'`. */
  readonly name?: string | undefined
  /** The most bytes it may have: they are reserved at once. 8 KiB serve no object. Default 1 GiB, at most 8 GiB. */
  readonly maximum?: number | undefined
  /**
   * False: all of it is Ready from the start, and the typed arrays last until `destroy`. True: it becomes Ready by
   * need, and the typed arrays have to be read from the heap again after an allocation. Default: false where Ready
   * pages cost nothing before they are touched, and the memory has no limit.
   */
  readonly grow?: boolean | undefined
  /**
   * Whether errors of the program are looked for: writes past the end and after the free, double frees with both
   * places, and what was never freed. It costs microseconds for each call. Default false.
   */
  readonly check?: boolean | CheckOptions | undefined
  /** What it asks for as to huge pages. Default `'default'`. */
  readonly hugePages?: HugePagePolicy | undefined
  /** The category that counts its bytes. Default: `memory.stat(name)`. */
  readonly stat?: SysMemStat | undefined
}

/**
 * Creates a heap in a memory. With `threads`, workers can have it as well: see {@link SharedHeap.share}.
 *
 * @throws UsageError ERR_MEMLAYER_OPTION or ERR_MEMLAYER_SIZE for an option that is wrong. ERR_MEMLAYER_SHARED for
 * `threads` where threads share no memory. OutOfMemoryError when the OS has no room for it.
 */
export function createHeap(memory: Memory, options: SharedHeapOptions): SharedHeap
/** Creates a heap that belongs to this thread. */
export function createHeap(memory: Memory, options?: HeapOptions): Heap
export function createHeap(memory: Memory, options: HeapOptions | SharedHeapOptions = {}): Heap | SharedHeap {
  const heap = isForThreads(options) ? createSharedHeap(memory, options) : createOwnHeap(memory, options)
  printByText(Object.getPrototypeOf(heap) as object)
  return heap
}

function isForThreads(options: HeapOptions | SharedHeapOptions | null): options is SharedHeapOptions {
  return typeof options === 'object' && options !== null && 'threads' in options && options.threads !== undefined
}

function createOwnHeap(memory: Memory, options: HeapOptions): Heap {
  expectMemory('createHeap', memory)
  const read = checkOptions('createHeap', options, ['name', 'maximum', 'grow', 'check', 'hugePages', 'stat', 'threads'])
  const { name = 'heap', maximum = 2 ** 30, grow, check = false, hugePages, stat } = read
  expectMaximum(maximum)
  if (grow !== undefined && typeof grow !== 'boolean') wrongOption('grow', grow, 'true or false')
  const checked = checkedOptions(check)
  return new Heap(memory, new Room(memory, { name, maximum, grow, hugePages, stat }), checked)
}

function checkedOptions(check: boolean | CheckOptions): CheckOptions | null {
  if (check === false) return null
  if (check === true) return {}
  const read = checkOptions('createHeap, check', check, ['quarantine', 'places'])
  const { quarantine = 0, places = true } = read
  const isSize = Number.isSafeInteger(quarantine) && quarantine >= 0
  if (!isSize) wrongOption('check.quarantine', quarantine, 'a whole number of bytes, 0 or more')
  if (typeof places !== 'boolean') wrongOption('check.places', places, 'true or false')
  return read
}

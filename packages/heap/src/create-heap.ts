// createHeap: looks at the options, and puts a heap together.
import { checkOptions, printByText, type HugePagePolicy, type Memory, type SysMemStat } from '@memlayer/core'
import type { CheckOptions } from './checker.js'
import { Heap } from './heap.js'
import { expectMemory, wrongMaximum, wrongOption } from './misuse.js'
import { Room } from './room.js'
import { pageBytes } from './size-classes.js'

/** The most bytes of a heap. Offsets in units of 8 bytes are 30 bits then: a small integer in every engine. */
const maximumMax = 2 ** 33

/** How a heap is created. */
export interface HeapOptions {
  /** What people call it: its region, its category and its reclaimer. Default `'heap'`. */
  readonly name?: string | undefined
  /** The most bytes it may have: they are reserved at once. Default 1 GiB, at most 8 GiB. */
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
 * Creates a heap in a memory.
 *
 * @throws UsageError ERR_MEMLAYER_OPTION or ERR_MEMLAYER_SIZE for an option that is wrong. OutOfMemoryError when the OS
 * has no room for it.
 */
export function createHeap(memory: Memory, options: HeapOptions = {}): Heap {
  expectMemory(memory)
  const read = checkOptions('createHeap', options, ['name', 'maximum', 'grow', 'check', 'hugePages', 'stat'])
  const { name = 'heap', maximum = 2 ** 30, grow, check = false, hugePages, stat } = read
  const isSize = Number.isSafeInteger(maximum) && maximum >= 2 * pageBytes && maximum <= maximumMax
  if (!isSize) wrongMaximum(maximum, 2 * pageBytes, maximumMax)
  if (grow !== undefined && typeof grow !== 'boolean') wrongOption('grow', grow, 'true or false')
  const checked = checkedOptions(check)
  const heap = new Heap(memory, new Room(memory, { name, maximum, grow, hugePages, stat }), checked)
  printByText(Object.getPrototypeOf(heap) as object)
  return heap
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

// createSharedHeap and attachHeap: the two ways to a shared heap. The thread that creates it reserves its pages, and
// each worker attaches what it was given.
import {
  alignUp,
  checkOptions,
  printByText,
  type HugePagePolicy,
  type Memory,
  type SharedRegion,
  type ShareToken,
  type SysMemStat,
  UsageError,
} from '@memlayer/core'
import { expectMaximum, expectMemory, notAttached, notShareable, wrongOption, wrongToken } from '../misuse.js'
import { pageBytes } from '../size-classes.js'
import { layoutIn, layoutOf, writeHeader } from './layout.js'
import { SharedHeap, type HeapToken } from './shared-heap.js'
import { Slots } from './slots.js'

/** Threads that may have a heap when the program does not say how many. */
const threadsDefault = 64
const threadsMax = 1024

/** How a heap for several threads is created. */
export interface SharedHeapOptions {
  /** True: 64 threads may have it at a time, its creator included. Or how many, up to 1024. */
  readonly threads: true | number
  /** What people call it: its region and its category. Default `'heap'`. */
  readonly name?: string | undefined
  /** The most bytes of objects, and 8 KiB before them. They are Ready at once. Default 1 GiB, at most 8 GiB. */
  readonly maximum?: number | undefined
  /** What it asks for as to huge pages. Default `'default'`. */
  readonly hugePages?: HugePagePolicy | undefined
  /** The category that counts its bytes. Default: `memory.stat(name)`. */
  readonly stat?: SysMemStat | undefined
}

/** A heap for several threads. See {@link createHeap}. */
export function createSharedHeap(memory: Memory, options: SharedHeapOptions): SharedHeap {
  expectMemory('createHeap', memory)
  const hint = 'A heap for several threads is never checked, and never grows.'
  const read = checkOptions('createHeap', options, ['name', 'maximum', 'threads', 'hugePages', 'stat'], hint)
  const { name = 'heap', maximum = 2 ** 30, threads, hugePages, stat } = read
  expectMaximum(maximum)
  const most = threads === true ? threadsDefault : threads
  if (!Number.isInteger(most) || most < 1 || most > threadsMax)
    wrongOption('threads', threads, `true, or a whole number up to ${threadsMax}`)
  const { os } = memory
  // Memory of the engine is shared as a buffer, and not by its addresses.
  if (!os.traits.threadsShare && os.traits.ends !== 'zeroed') notShareable(os.name)
  const { pageSize } = os.traits
  const layout = layoutOf(Math.ceil(maximum / pageBytes), most, pageSize)
  const align = Math.max(pageSize, pageBytes)
  const region = memory.reserve(alignUp(layout.size, align), { name, stat, hugePages, align })
  try {
    region.commit()
    const words = region.view(Int32Array, 0, layout.head / 4)
    const bytes = region.view(Uint8Array, layout.head, layout.size - layout.head)
    writeHeader(words, layout)
    const slots = new Slots(words, layout, memory)
    const slot = slots.offer()
    void slots.enter(slot)
    return new SharedHeap({ memory, region, share: null, words, bytes, layout, slots, slot })
  } catch (error) {
    region.free()
    throw error
  }
}

/**
 * Attaches a heap that another thread has shared with this one. All views are made here: later calls make none.
 *
 * @throws UsageError ERR_MEMLAYER_SHARED for what is not a heap's token, was attached before, is for another thread, or
 * is of a heap that is not there any more.
 */
export function attachHeap(memory: Memory, token: HeapToken): SharedHeap {
  expectMemory('attachHeap', memory)
  const { memlayer, share: given, slot }: Partial<HeapToken> = token ?? {}
  if (memlayer !== 'heap' || given === undefined || !Number.isInteger(slot)) wrongToken(token, 'is not one of a heap')
  const share = shareOf(memory, given)
  try {
    const heap = attached(memory, share, slot)
    printByText(Object.getPrototypeOf(heap) as object)
    return heap
  } catch (error) {
    share.release()
    throw error
  }
}

function shareOf(memory: Memory, given: ShareToken): SharedRegion {
  try {
    return memory.attach(given)
  } catch (error) {
    if (error instanceof UsageError && error.code === 'ERR_MEMLAYER_SHARED') notAttached(error)
    throw error
  }
}

function attached(memory: Memory, share: SharedRegion, slot: number): SharedHeap {
  if (share.size < pageBytes) wrongToken(share.name, 'is not a heap')
  const layout = layoutIn(share.view(Int32Array, 0, pageBytes / 4), share.size, memory.os.traits.pageSize)
  if (layout === null) wrongToken(share.name, 'is not a heap')
  const words = share.view(Int32Array, 0, layout.head / 4)
  const bytes = share.view(Uint8Array, layout.head, layout.size - layout.head)
  const slots = new Slots(words, layout, memory)
  if (!slots.isOffered(slot) || !slots.enter(slot)) wrongToken(share.name, 'was not offered to this thread')
  return new SharedHeap({ memory, region: null, share, words, bytes, layout, slots, slot })
}

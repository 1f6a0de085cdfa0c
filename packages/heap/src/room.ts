// The room of a heap: one reservation, how much of it is Ready, and the typed arrays over that. Views over pages end
// when any page under them leaves Ready. So pages in the middle stay Ready, and `zero` gives their memory back.
import {
  alignDown,
  alignUp,
  OutOfMemoryError,
  type HugePagePolicy,
  type Memory,
  type Region,
  type SysMemStat,
  UsageError,
} from '@memlayer/core'
import { pageBytes } from './size-classes.js'
import { noViews, viewsOver, type Views } from './views.js'

/** Pages become Ready in steps of so many bytes at least, and of this part of what is Ready. */
const stepBytes = 2 ** 20
const stepPart = 4

/** How a room is reserved. */
export interface RoomOptions {
  readonly name: string
  readonly maximum: number
  readonly grow: boolean | undefined
  readonly hugePages: HugePagePolicy | undefined
  readonly stat: SysMemStat | undefined
}

/** The reservation of a heap. Offsets are bytes from its start. */
export class Room {
  readonly region: Region
  /** Its bytes. The reservation can be larger. */
  readonly size: number
  /** Whether the views last until the heap is destroyed. */
  readonly isWhole: boolean
  /** The views. They have length 0 when they have to be made anew. */
  views: Views = noViews
  readonly #memory: Memory
  readonly #step: number
  readonly #huge: number
  #ready = 0
  /** Calls of `ensure` that are under way. Observers of a commit can call the heap again. */
  #growing = 0

  constructor(memory: Memory, { name, maximum, grow, hugePages, stat }: RoomOptions) {
    const { pageSize, hugePageSize } = memory.os.traits
    const size = (this.size = alignUp(maximum, Math.max(pageSize, pageBytes)))
    this.#memory = memory
    this.#huge = Math.max(hugePageSize, pageSize, pageBytes)
    this.#step = Math.max(stepBytes, pageSize)
    this.isWhole = grow === undefined ? !isCharged(memory) : !grow
    this.region = memory.reserve(size, { name, stat, hugePages, align: Math.max(pageSize, pageBytes) })
    if (!this.isWhole) return
    try {
      this.region.commit(0, size)
      this.#ready = size
      this.renew()
    } catch (error) {
      this.region.free()
      throw error
    }
  }

  /** Bytes that are Ready, from the start on. */
  get ready(): number {
    return this.#ready
  }

  /** Makes all up to `end` Ready. @throws OutOfMemoryError when the OS refuses; nothing has changed then. */
  ensure(end: number): void {
    this.#growing += 1
    try {
      const from = this.#ready
      // To ask for more than the limit leaves would have reclaimers empty caches for it.
      const most = from + this.#leftOfLimit()
      const ahead = alignUp(Math.max(end, Math.min(from + from / stepPart, most - this.#step)), this.#step)
      const some = this.#commit(from, Math.min(ahead, this.size), true)
      const made = some ?? this.#commit(from, alignUp(end, this.#memory.os.traits.pageSize), false)
      // Code that heard of the commit can have grown it as well.
      this.#ready = Math.max(this.#ready, made as number)
      this.views = noViews
    } finally {
      this.#growing -= 1
    }
  }

  #leftOfLimit(): number {
    const { limit } = this.#memory
    return limit === null ? Infinity : limit.bytes - limit.used
  }

  /** Returns `end`; null: the OS refuses so much, and `mayFail`. */
  #commit(from: number, end: number, mayFail: boolean): number | null {
    try {
      this.region.commit(from, end - from)
      return end
    } catch (error) {
      if (mayFail && error instanceof OutOfMemoryError) return null
      throw error
    }
  }

  /** Makes the views anew. */
  renew(): Views {
    if (this.views !== noViews && this.views.u8.length > 0) return this.views
    const { buffer, byteOffset, byteLength } = this.region.window(Uint8Array, 0, this.#ready)
    return (this.views = viewsOver(buffer, byteOffset, byteLength))
  }

  /**
   * Gives back the memory of [from, end), as far as it is whole pages of the kernel. The pages stay Ready, and their
   * contents are lost. Returns the bytes: 0 where the OS can't take memory from under a view.
   */
  giveBack(from: number, end: number): number {
    const bytes = this.wholePages(from, end)
    if (bytes === 0) return 0
    const start = alignUp(from, this.#memory.os.traits.pageSize)
    return isDone(() => this.region.zero(start, bytes)) ? bytes : 0
  }

  /** The bytes of [from, end) that `giveBack` would give back. */
  wholePages(from: number, end: number): number {
    const { os } = this.#memory
    const { pageSize, unusedReturnsMemory, unusedTraps } = os.traits
    if (!unusedReturnsMemory || (unusedTraps && os.sysZeroOS === undefined)) return 0
    return Math.max(0, alignDown(end, pageSize) - alignUp(from, pageSize))
  }

  /** Where the huge page around an offset begins, or the room. Without huge pages it is the offset. */
  hugeStart(at: number): number {
    const { address } = this.region
    return Math.max(0, alignDown(address + at, this.#huge) - address)
  }

  /** Where the last huge page of a range ends that ends at an offset, or what is Ready. */
  hugeEnd(at: number): number {
    const { address } = this.region
    return Math.min(this.#ready, alignUp(address + at, this.#huge) - address)
  }

  /**
   * Lets what is beyond `end` leave Ready, which ends the views: they are made anew. Returns the bytes. A room that is
   * Ready as a whole stays so.
   */
  trim(end: number): number {
    const from = alignUp(end, this.#step)
    const bytes = this.#ready - from
    if (this.isWhole || this.#growing > 0 || bytes <= 0) return 0
    if (!isDone(() => this.region.unused(from, bytes))) return 0
    this.#ready = from
    this.views = noViews
    return bytes
  }

  /** Gives all back. */
  free(): void {
    this.region[Symbol.dispose]()
    this.#ready = 0
    this.views = noViews
  }
}

/** False: a hold or a worker has the pages, or no kernel mapping is left for it. Then they keep their memory. */
function isDone(give: () => void): boolean {
  try {
    give()
    return true
  } catch (error) {
    const isKept = error instanceof UsageError && error.code === 'ERR_MEMLAYER_SHARED'
    if (isKept || error instanceof OutOfMemoryError) return false
    throw error
  }
}

/** Whether Ready pages cost something before they are touched: a charge of the system, or a part of a limit. */
function isCharged({ os, limit }: Memory): boolean {
  return os.sysRoomOS !== undefined || os.quarantine?.writable !== Infinity || limit !== null
}

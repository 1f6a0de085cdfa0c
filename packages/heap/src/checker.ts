// The checked mode of a heap, for tests and for the search of an error. It finds writes past the end, writes after the
// free, frees of what waits, and what was never freed, with the places in the program. Handles and typed arrays are
// those of a heap that is not checked, so a program runs in both without a change.
//
// An object has bytes of a fixed value behind its end, and they must be there when it is freed. Then it is filled with
// another value and waits, so that its place goes to no other object for a while. It must still be filled when its
// wait is over. AddressSanitizer calls the first a redzone and the second a quarantine.
import { OutOfMemoryError } from '@memlayer/core'
import { overrun, writtenAfterFree } from './misuse.js'
import { placeOf, type Caller } from './place.js'
import type { Room } from './room.js'
import { unitBytes } from './size-classes.js'
import type { Spans } from './spans.js'

/** Bytes behind an object that no program writes. There are more where its place is larger. */
const endBytes = 8
const endByte = 0xc5
const freshByte = 0xa1
const freedByte = 0xdd

/** How a heap is checked. */
export interface CheckOptions {
  /** Bytes of freed objects that wait before their places serve again. Default 16 MiB. */
  readonly quarantine?: number | undefined
  /** Whether the place of each allocation and free in the program is kept. Default true: some microseconds for each. */
  readonly places?: boolean | undefined
}

/** Objects that are in use, and one place allocated them. */
export interface Leak {
  /** Lines of a stack, the program's innermost call first. Empty without `places`. */
  readonly place: string
  /** How many there are. */
  readonly objects: number
  /** The bytes that were asked for, of all of them together. */
  readonly bytes: number
}

interface Live {
  readonly bytes: number
  readonly made: string
}

interface Waiting extends Live {
  /** Bytes of its place. */
  readonly size: number
  readonly freed: string
}

/** What is known of each object of a heap that is checked. */
export class Checker {
  readonly #room: Room
  readonly #spans: Spans
  readonly #quarantine: number
  readonly #places: boolean
  readonly #live = new Map<number, Live>()
  /** Freed objects, the oldest first. To the spans they are in use. */
  readonly #waiting = new Map<number, Waiting>()
  #waitingBytes = 0

  constructor(room: Room, spans: Spans, { quarantine = 2 ** 24, places = true }: CheckOptions) {
    this.#room = room
    this.#spans = spans
    this.#quarantine = quarantine
    this.#places = places
  }

  /** Objects that wait, and the bytes of their places. */
  get waiting(): { readonly objects: number; readonly bytes: number } {
    return { objects: this.#waiting.size, bytes: this.#waitingBytes }
  }

  /** Bytes that an object of `bytes` takes here. */
  static room(bytes: number): number {
    return bytes + endBytes
  }

  /** The bytes that were asked for; -1: no object that is in use begins there. */
  sizeOf(handle: number): number {
    return this.#live.get(handle)?.bytes ?? -1
  }

  /** Where an object was freed that waits; null: none waits there. */
  freedAt(handle: number): string | null {
    return this.#waiting.get(handle)?.freed ?? null
  }

  /** An object in the place that `take` finds. `from` is the method that the program called. */
  alloc(bytes: number, take: () => number, from: Caller): number {
    const made = this.#place(from)
    const handle = this.#take(take)
    const at = handle * unitBytes
    const { u8 } = this.#room.renew()
    u8.fill(freshByte, at, at + bytes)
    u8.fill(endByte, at + bytes, at + this.#spans.sizeOf(handle))
    this.#live.set(handle, { bytes, made })
    return handle
  }

  /** An object that keeps its place has fewer bytes. */
  shorten(handle: number, bytes: number): void {
    const live = this.#live.get(handle)
    if (live === undefined) return
    this.#expectEnd('realloc', handle, live)
    const at = handle * unitBytes
    this.#room.renew().u8.fill(endByte, at + bytes, at + this.#spans.sizeOf(handle))
    this.#live.set(handle, { ...live, bytes })
  }

  /** What waits has the last room of the heap, perhaps. */
  #take(take: () => number): number {
    try {
      return take()
    } catch (error) {
      if (!(error instanceof OutOfMemoryError) || this.#waiting.size === 0) throw error
    }
    while (this.#waiting.size > 0) this.#endWait()
    return take()
  }

  /** Frees an object, which then waits. False: none in use begins at `handle`. @throws UsageError for damage. */
  free(handle: number, from: Caller): boolean {
    const live = this.#live.get(handle)
    if (live === undefined) return false
    this.#expectEnd('free', handle, live)
    const size = this.#spans.sizeOf(handle)
    while (this.#waiting.size > 0 && this.#waitingBytes + size > this.#quarantine) this.#endWait()
    const at = handle * unitBytes
    this.#room.renew().u8.fill(freedByte, at, at + size)
    this.#live.delete(handle)
    this.#waiting.set(handle, { ...live, size, freed: this.#place(from) })
    this.#waitingBytes += size
    return true
  }

  /** The place of the oldest object that waits serves again. @throws UsageError when it was written to. */
  #endWait(): void {
    for (const [handle, waiting] of this.#waiting) {
      this.#waiting.delete(handle)
      this.#waitingBytes -= waiting.size
      void this.#spans.free(handle)
      this.#expectFilled(handle, waiting)
      return
    }
  }

  /** All places that wait serve again. */
  flush(): void {
    while (this.#waiting.size > 0) this.#endWait()
  }

  /** Looks at the ends of all objects, and at all that wait. @throws UsageError for the first damage. */
  expectSound(op: string): void {
    for (const [handle, live] of this.#live) this.#expectEnd(op, handle, live)
    for (const [handle, waiting] of this.#waiting) this.#expectFilled(handle, waiting)
  }

  /** Forgets what a release has freed. */
  forgetReleased(): void {
    for (const handle of this.#live.keys()) if (this.#spans.sizeOf(handle) === 0) this.#live.delete(handle)
    for (const [handle, { size }] of this.#waiting) {
      if (this.#spans.sizeOf(handle) > 0) continue
      this.#waiting.delete(handle)
      this.#waitingBytes -= size
    }
  }

  /** Objects in use, by place, those with the most bytes first. */
  leaks(): Leak[] {
    const leaks = new Map<string, { place: string; objects: number; bytes: number }>()
    for (const { bytes, made } of this.#live.values()) {
      const leak = leaks.get(made) ?? { place: made, objects: 0, bytes: 0 }
      leaks.set(made, leak)
      leak.objects += 1
      leak.bytes += bytes
    }
    return [...leaks.values()].sort((a, b) => b.bytes - a.bytes)
  }

  #expectEnd(op: string, handle: number, { bytes, made }: Live): void {
    const { u8 } = this.#room.renew()
    const at = handle * unitBytes
    const end = at + this.#spans.sizeOf(handle)
    for (let i = at + bytes; i < end; i++) {
      if (u8[i] !== endByte) overrun(op, this.#room.region.name, handle, bytes, i - at, made)
    }
  }

  #expectFilled(handle: number, { size, freed }: Waiting): void {
    const { u8 } = this.#room.renew()
    const at = handle * unitBytes
    for (let i = at; i < at + size; i++) {
      if (u8[i] !== freedByte) writtenAfterFree(this.#room.region.name, handle, i - at, freed)
    }
  }

  #place(from: Caller): string {
    return this.#places ? placeOf(from) : ''
  }
}

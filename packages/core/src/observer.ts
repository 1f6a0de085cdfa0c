// Observers: told of every operation after it is done and counted, so that they may call
// back into the layer. Without one, an operation pays for a single test.
import type { Address } from '@memlayer/kernel'

/** The layer's operations, in mem.go's order; sysPopulate is none of Go's. */
export type Operation =
  | 'sysAlloc'
  | 'sysUnused'
  | 'sysUsed'
  | 'sysHugePage'
  | 'sysPopulate'
  | 'sysFree'
  | 'sysFault'
  | 'sysReserve'
  | 'sysReserveAligned'
  | 'sysMap'

/** One operation that reached the kernel. */
export interface MemoryEvent {
  /** The operation. */
  readonly op: Operation
  /** Where the range starts; `null` where none was obtained. */
  readonly address: Address | null
  /** The range's bytes. */
  readonly size: number
  /** The category that was named; `null`: none. */
  readonly category: string | null
  /** Done, refused (OutOfMemoryError) or broken (FatalError). */
  readonly outcome: 'done' | 'refused' | 'broken'
  /** The error that the caller gets. */
  readonly error?: Error
}

/**
 * Told of each operation. What it throws goes to the host's unhandled rejections, never to the layer's
 * caller. It may operate on the memory itself: that is told of next, to all, in order; so an observer that
 * answers every event with an operation never comes to an end.
 */
export type Observer = (event: MemoryEvent) => void

interface Listening {
  readonly observer: Observer
  readonly wanted: (() => boolean) | undefined
}

interface Announcement {
  readonly to: readonly Listening[]
  readonly event: MemoryEvent
}

/** The observers of one memory. */
export class Observers {
  #observers: readonly Listening[] = []
  // What is to be told: an operation made by an observer waits until all have heard of the one before.
  readonly #announcements: Announcement[] = []
  #telling = false

  /** Whether anybody listens: if not, no event need be made. */
  get listening(): boolean {
    return this.#observers.length > 0 && this.#observers.some(wants)
  }

  /** Tells `observer` of each event from now on; the function returned ends it at once. While `wanted` says no, no event is made for it. */
  add(observer: Observer, wanted?: () => boolean): () => void {
    let listens = true
    const own: Listening = {
      wanted,
      observer: (event) => {
        if (listens) observer(event)
      },
    }
    this.#observers = [...this.#observers, own]
    return () => {
      listens = false
      this.#observers = this.#observers.filter((other) => other !== own)
    }
  }

  /** Tells each observer; one that throws harms neither the operation nor the other observers. */
  tell(event: MemoryEvent): void {
    this.#announcements.push({ to: this.#observers, event })
    if (!this.#telling) this.#tellAll()
  }

  /** What `run` tells of was done as one: nobody hears of a part of it before all of it is told of, in order. */
  together(run: () => void): void {
    if (this.#telling) return run()
    this.#telling = true
    run()
    this.#tellAll()
  }

  #tellAll(): void {
    this.#telling = true
    for (let next = this.#announcements.shift(); next !== undefined; next = this.#announcements.shift()) {
      for (const { observer } of next.to) {
        try {
          observer(next.event)
        } catch (error) {
          void Promise.reject(error)
        }
      }
    }
    this.#telling = false
  }
}

/** Whether an observer wants events; its own failure to say harms no operation. */
function wants({ wanted }: Listening): boolean {
  if (wanted === undefined) return true
  try {
    return wanted()
  } catch (error) {
    void Promise.reject(error)
    return false
  }
}

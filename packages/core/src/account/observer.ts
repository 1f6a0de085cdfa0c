// Observers: they hear of every operation after it is done and counted, so that they may call back into the layer.
// Without an observer, an operation pays for a single test.
import type { Address } from '@memlayer/kernel'

/** The layer's operations, in mem.go's order. Go has no sysPopulate. */
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
  /** Where the range starts; `null` where the operation obtained no range. */
  readonly address: Address | null
  /** The range's bytes. */
  readonly size: number
  /** The category that counts it; `null`: no category does. */
  readonly category: string | null
  /** Done, refused (OutOfMemoryError) or broken (FatalError). */
  readonly outcome: 'done' | 'refused' | 'broken'
  /**
   * The error that the caller gets. A region's method puts its own words into it after observers have heard of it.
   */
  readonly error?: Error
}

/**
 * Called for each operation that reached the kernel. What it throws goes to the host's unhandled rejections, never to
 * the caller of the operation. It may operate on the memory itself. All observers are called for that next, in order.
 * So an observer that answers every event with an operation never comes to an end.
 */
export type Observer = (event: MemoryEvent) => void

/** Options of `memory.observe`. */
export interface ObserveOptions {
  /**
   * Whether events are wanted now. It is called before an event is made: while every observer's says no, operations
   * make no events. If it throws, that is a no, and the error goes where an observer's errors go. Default: always.
   */
  readonly wanted?: (() => boolean) | undefined
}

interface Listening {
  readonly observer: Observer
  readonly wanted: (() => boolean) | undefined
}

/** An event, and the observers of its time. */
interface Announcement {
  readonly to: readonly Listening[]
  readonly event: MemoryEvent
}

/** So many events that were told are kept, or as many as wait. */
const toldMax = 1024

/** The observers of one memory. */
export class Observers {
  #observers: readonly Listening[] = []
  // Events that wait. An operation of an observer is told when all have heard of the one before.
  #announcements: Announcement[] = []
  /** The first of them that waits. A list that is shifted moves all of its events each time. */
  #next = 0
  #telling = false
  #willLook = false

  /** Whether an observer wants events. If not, the account makes none. */
  get listening(): boolean {
    return this.#observers.length > 0 && this.#observers.some(wants)
  }

  /** Tells `observer` of each event from now on. The function returned ends it at once. */
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

  /** Tells each observer. One that throws harms neither the operation nor the other observers. */
  tell(event: MemoryEvent): void {
    this.#announcements.push({ to: this.#observers, event })
    if (this.#telling) this.#tellLater()
    else this.#tellAll()
  }

  /** Observers hear of the events that `run` makes when it has ended, in order. */
  together(run: () => void): void {
    if (this.#telling) return run()
    this.#telling = true
    run()
    this.#tellAll()
  }

  /** Where a script ended while observers heard, nobody goes on. When the job is over, none of them is heard. */
  #tellLater(): void {
    if (this.#willLook) return
    void Promise.resolve().then(() => {
      this.#willLook = false
      if (this.#telling) this.#tellAll()
    })
    this.#willLook = true
  }

  /** The event that waits longest. */
  #take(): Announcement | undefined {
    const all = this.#announcements
    if (this.#next === all.length) {
      if (this.#next > 0) this.#announcements = []
      this.#next = 0
      return undefined
    }
    const first = all[this.#next]
    this.#next += 1
    // What was told is let go, also while observers go on to make events.
    if (this.#next >= toldMax && this.#next * 2 > all.length) {
      this.#announcements = all.slice(this.#next)
      this.#next = 0
    }
    return first
  }

  #tellAll(): void {
    this.#telling = true
    for (let next = this.#take(); next !== undefined; next = this.#take()) {
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

/** Whether an observer wants events. If it fails to say, the operation goes on. */
function wants({ wanted }: Listening): boolean {
  if (wanted === undefined) return true
  try {
    return wanted()
  } catch (error) {
    void Promise.reject(error)
    return false
  }
}

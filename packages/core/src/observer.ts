// Observers: told of every operation after it is done and counted, so that they may call
// back into the layer. Without one, an operation pays for a single test.
import type { Address } from '@memlayer/kernel'

/** The layer's operations, in mem.go's order. */
export type Operation =
  | 'sysAlloc'
  | 'sysUnused'
  | 'sysUsed'
  | 'sysHugePage'
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

/** Told of each operation. What it throws goes to the host's unhandled rejections, never to the layer's caller. */
export type Observer = (event: MemoryEvent) => void

/** Tells each observer; one that throws harms neither the operation nor the other observers. */
export function tell(observers: readonly Observer[], event: MemoryEvent): void {
  for (const observer of observers) {
    try {
      observer(event)
    } catch (error) {
      void Promise.reject(error)
    }
  }
}

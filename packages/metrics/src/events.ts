// Publishes a memory's operations on diagnostics_channel. A tracer gets them without a reference to the memory.
// Without a listener no event object is made.
import { channel, type Channel } from 'node:diagnostics_channel'
import type { Memory, MemoryEvent } from '@memlayer/core'

/** The names of the channels. They are API. */
export const channels: {
  /** Every operation that reached the kernel, whatever its outcome. */
  readonly operation: 'memlayer:operation'
  /** Operations that the kernel refused or that broke. `outcome` says which, and `error` is what the caller gets. */
  readonly failure: 'memlayer:failure'
} = { operation: 'memlayer:operation', failure: 'memlayer:failure' }

/** The message that a listener gets. */
export interface PublishedEvent extends MemoryEvent {
  /** The memory of the operation. */
  readonly memory: Memory
}

const operation: Channel = channel(channels.operation)
const failure: Channel = channel(channels.failure)

/**
 * Publishes a memory's operations on the channels `memlayer:operation` and `memlayer:failure`, as
 * {@link PublishedEvent}. The returned function stops that. Without a listener an operation pays for two tests.
 */
export function publishEvents(memory: Memory): () => void {
  return memory.observe(
    (event) => {
      if (!operation.hasSubscribers && (event.outcome === 'done' || !failure.hasSubscribers)) return
      const published: PublishedEvent = { ...event, memory }
      operation.publish(published)
      if (event.outcome !== 'done') failure.publish(published)
    },
    { wanted: () => operation.hasSubscribers || failure.hasSubscribers },
  )
}

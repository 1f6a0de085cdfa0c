// A memory's operations on diagnostics_channel: for whoever traces a program without being told of
// the memory. Nothing is made while nobody listens.
import { channel, type Channel } from 'node:diagnostics_channel'
import type { Memory, MemoryEvent } from '@memlayer/core'

/** The names of the channels. They are API. */
export const channels: {
  /** Every operation that reached the kernel, whatever came of it. */
  readonly operation: 'memlayer:operation'
  /** Those that were refused, or broken: `outcome` tells which, `error` is what the caller gets. */
  readonly failure: 'memlayer:failure'
} = { operation: 'memlayer:operation', failure: 'memlayer:failure' }

/** What a listener is given. */
export interface PublishedEvent extends MemoryEvent {
  /** The memory that the operation was made on. */
  readonly memory: Memory
}

const operation: Channel = channel(channels.operation)
const failure: Channel = channel(channels.failure)

/**
 * Publishes a memory's operations on the channels `memlayer:operation` and `memlayer:failure`, as
 * {@link PublishedEvent}; the function returned ends it. Without a listener an operation pays for two tests.
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

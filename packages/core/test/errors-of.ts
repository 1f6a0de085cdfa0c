// Returns the error that a call throws, for tests that check every part of the error.
import type { MemlayerError } from '@memlayer/core'

const names: ReadonlySet<unknown> = new Set(['UsageError', 'OutOfMemoryError', 'FatalError'])

/** By its name: a test of a room has the class of the source, and a test of the package has that of the build. */
export function errorOf(run: () => unknown): MemlayerError {
  try {
    run()
  } catch (error) {
    if (error instanceof Error && names.has(error.name)) return error as MemlayerError
    throw error
  }
  throw new Error('the call should throw a MemlayerError, but did not throw')
}

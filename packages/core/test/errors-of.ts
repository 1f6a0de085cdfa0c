// Returns the error that a call throws, for tests that check every part of the error.
import { MemlayerError } from '@memlayer/core'

export function errorOf(run: () => unknown): MemlayerError {
  try {
    run()
  } catch (error) {
    if (error instanceof MemlayerError) return error
    throw error
  }
  throw new Error('the call should throw a MemlayerError, but did not throw')
}

// The error that a call throws, for tests that look at every part of it.
import { MemlayerError } from '@memlayer/core'

export function errorOf(run: () => unknown): MemlayerError {
  try {
    run()
  } catch (error) {
    if (error instanceof MemlayerError) return error
    throw error
  }
  throw new Error('no error was thrown')
}

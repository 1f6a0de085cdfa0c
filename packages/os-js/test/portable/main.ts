// Runs all of the entry on an engine that takes a program, and prints one line of JSON.
import { UsageError } from '@memlayer/core'
import { beyond, gigabyte, life, limits, liveHistory } from './entry.js'

/** The result, or the error's code. An engine without 64-bit memories throws, and that is a fact too. */
function codeOr(call: () => unknown): unknown {
  try {
    return call()
  } catch (error) {
    if (error instanceof UsageError) return error.code
    throw error
  }
}

// The tests put this before the text.
const { memlayerSeed: seed = 1 } = globalThis as { memlayerSeed?: number }

console.log(
  JSON.stringify({
    life: life({}),
    wideLife: codeOr(() => life({ address: 'i64' })),
    sharedLife: life({ shared: true, maximum: 1024 }),
    gigabyte: gigabyte(),
    limits: limits(),
    beyond: codeOr(beyond),
    histories: (['32-bit', 'shared', 'discard', 'module'] as const).map((kind) => liveHistory(kind, 20_000, seed)),
    wideHistory: codeOr(() => liveHistory('64-bit', 20_000, seed)),
  }),
)

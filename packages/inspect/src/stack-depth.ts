// How many frames the stacks of regions have. The engine has one limit for all stacks, Error.stackTraceLimit.
import { UsageError } from '@memlayer/core'

/** @throws UsageError ERR_MEMLAYER_OPTION, when it is not a number of frames. */
export function checkDepth(depth: number | undefined): void {
  if (depth === undefined || (Number.isSafeInteger(depth) && depth >= 0)) return
  const message = `stackDepth is ${String(depth)}: pass a whole number of frames, 0 or more`
  throw new UsageError('ERR_MEMLAYER_OPTION', message)
}

/** Sets the limit. The function returned restores the one before, unless another code has set one since. */
export function setDepth(depth: number): () => void {
  const before = Error.stackTraceLimit
  Error.stackTraceLimit = depth
  return () => {
    if (Error.stackTraceLimit === depth) Error.stackTraceLimit = before
  }
}

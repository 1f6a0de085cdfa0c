// The error when no backend can be chosen, and the code of any other.
import { MemlayerError } from '@memlayer/core'

/**
 * No backend serves. The requested one can't be used or is broken, or MEMLAYER_STRICT forbids the fallback. The message
 * says what to do.
 */
export class BackendError extends MemlayerError {
  /** Always `'BackendError'`. A minifier renames classes, but logs show this name. */
  override readonly name: string = 'BackendError'

  constructor(message: string, hint: string, cause?: unknown) {
    super('ERR_MEMLAYER_BACKEND', message, { hint, ...(cause === undefined ? {} : { cause }) })
  }
}

/** The error's code, if it has one. */
export function codeOf(error: unknown): unknown {
  return ((error ?? {}) as { code?: unknown }).code
}

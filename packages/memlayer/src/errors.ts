// The error of a choice that can't be made.
import { MemlayerError } from '@memlayer/core'

/** No backend: the one that was asked for can't be had, is broken, or MEMLAYER_STRICT forbids another. The message says what to do. */
export class BackendError extends MemlayerError {
  /** `'BackendError'`: a minifier renames classes, and the name is what a log shows. */
  override readonly name: string = 'BackendError'

  constructor(message: string, hint: string, cause?: unknown) {
    super('ERR_MEMLAYER_BACKEND', message, { hint, ...(cause === undefined ? {} : { cause }) })
  }
}

// The error of a transfer that ended in the middle. It says how far the transfer came.
import { MemlayerError } from '../errors.js'

/** What ended a transfer. */
export interface TransferEnd {
  /** The method that was called: `'readFrom'`. */
  readonly op: string
  /** The region's name. */
  readonly region: string
  /** Where in the region the transfer began. */
  readonly offset: number
  /** The bytes that were transferred before it. */
  readonly bytes: number
  /** What it was: `'the source failed'`. */
  readonly what: string
  /** Whether the caller's signal ended it. */
  readonly isAbort?: boolean
  /** What a person can do about it. */
  readonly hint?: string
  /** The error of the source, or the signal's reason. */
  readonly cause?: unknown
}

/**
 * A transfer ended in the middle: a source or a file failed, or a signal aborted it. The bytes before that are there.
 * `cause` is the error of the source, or the signal's reason. After an abort the name is `AbortError`.
 */
export class TransferError extends MemlayerError {
  /** What a log shows. */
  override readonly name: string
  /** The bytes that were transferred, from the offset that was passed. */
  readonly bytes: number

  /** @internal */
  constructor({ op, region, offset, bytes, what, isAbort = false, hint, cause }: TransferEnd) {
    const said = cause instanceof Error && cause.message !== '' ? `: ${cause.message}` : ''
    const message = `${op}(${offset}) of the region '${region}': ${what} after ${bytes} bytes${said}`
    super('ERR_MEMLAYER_TRANSFER', message, { op, region, offset, cause, ...(hint === undefined ? {} : { hint }) })
    this.name = isAbort ? 'AbortError' : 'TransferError'
    this.bytes = bytes
  }
}

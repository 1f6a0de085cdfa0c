// readFrom: bytes of a source into a region, by copies. The pages are held until it is over, and no source ever has
// their address, so a source that goes on after an abort harms nothing.
import { UsageError } from '../errors.js'
import { checkOptions } from '../options.js'
import { show } from '../text.js'
import { Interrupt, type SignalLike } from './interrupt.js'
import { readerOf, type ByteSource, type Reader } from './sources.js'
import { TransferError } from './transfer-error.js'

/** How a source is read. */
export interface ReadFromOptions {
  /** Ends it. What was read stays. */
  readonly signal?: SignalLike | undefined
  /**
   * The most bytes to read. A source that has more is ended there, but for a connection (a request of Node's `http`, a
   * socket): it stays open and keeps the rest. What is left of a request is read and dropped when its answer was sent.
   * Default: the rest of the region, and a source that has more is an error.
   */
  readonly limit?: number | undefined
}

/** Where the bytes go. */
export interface Target {
  /** The region's name. */
  readonly name: string
  /** Its bytes. */
  readonly size: number
  /** Keeps the range Ready. The function returned lets it go. */
  readonly hold: (offset: number, length: number) => () => void
  /** Copies bytes to an offset. */
  readonly write: (offset: number, bytes: Uint8Array) => void
}

/** Reads a source until its end. Returns the number of bytes. */
export async function readFrom(
  target: Target,
  source: ByteSource,
  offset: number,
  options: ReadFromOptions,
): Promise<number> {
  const { signal, limit } = checkOptions('readFrom', options, ['signal', 'limit'])
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit >= 0)) {
    const hint = 'Pass a number of bytes, 0 or more, or leave it out.'
    const message = `readFrom: the limit is ${show(limit)}`
    throw new UsageError('ERR_MEMLAYER_OPTION', message, { op: 'readFrom', region: target.name, hint })
  }
  const most = limit ?? (typeof offset === 'number' ? target.size - offset : NaN)
  const release = target.hold(offset, most)
  let transfer: Transfer | null = null
  try {
    transfer = {
      target,
      offset,
      most,
      mayEnd: limit !== undefined,
      interrupt: new Interrupt('readFrom', signal),
      bytes: 0,
      isWriting: false,
    }
    if (transfer.interrupt.isAborted) throw failed(transfer, signal?.reason)
    return await copyAll(transfer, readerFor(transfer, source))
  } finally {
    transfer?.interrupt.end()
    release()
  }
}

/** One call of readFrom. */
interface Transfer {
  readonly target: Target
  readonly offset: number
  readonly most: number
  /** Whether a source that has more bytes is ended without an error. */
  readonly mayEnd: boolean
  readonly interrupt: Interrupt
  /** The bytes that are there. */
  bytes: number
  /** Whether a chunk is being written. What fails then is not the source. */
  isWriting: boolean
}

/** @throws UsageError for what is not a source, TransferError for one that fails before its first chunk. */
function readerFor(transfer: Transfer, source: ByteSource): Reader {
  try {
    return readerOf('readFrom', source)
  } catch (error) {
    throw error instanceof UsageError ? error : failed(transfer, error)
  }
}

async function copyAll(transfer: Transfer, reader: Reader): Promise<number> {
  const { target, offset, most, mayEnd, interrupt } = transfer
  let rest: Uint8Array | null = null
  try {
    while (transfer.bytes < most || !mayEnd) {
      const left = most - transfer.bytes
      // Without a limit, a full region asks once more: the source must have ended.
      const chunk = await interrupt.wait(reader.next(left))
      if (chunk === null) {
        reader.end()
        return transfer.bytes
      }
      const part = chunk.byteLength > left ? chunk.subarray(0, left) : chunk
      transfer.isWriting = true
      target.write(offset + transfer.bytes, part)
      transfer.isWriting = false
      transfer.bytes += part.byteLength
      if (chunk.byteLength <= left) continue
      rest = chunk.subarray(left)
      break
    }
  } catch (error) {
    reader.cancel()
    throw failed(transfer, error)
  }
  reader.stop(rest)
  if (rest !== null && !mayEnd) tooMany(transfer)
  return transfer.bytes
}

function tooMany({ target, offset, bytes }: Transfer): never {
  throw new TransferError({
    op: 'readFrom',
    region: target.name,
    offset,
    bytes,
    what: 'the source has more bytes than the region',
    hint: 'Pass a limit to read a part of a source, or reserve a larger region.',
  })
}

function failed({ target, offset, bytes, isWriting, interrupt }: Transfer, cause: unknown): unknown {
  if (isWriting || cause instanceof TransferError) return cause
  const isAbort = interrupt.isAborted
  const what = isAbort ? 'the signal aborted' : 'the source failed'
  return new TransferError({ op: 'readFrom', region: target.name, offset, bytes, what, isAbort, cause })
}

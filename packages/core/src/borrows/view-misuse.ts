// Errors of views that can't end: which view, why, and what to do.
import type { Address } from '@memlayer/kernel'
import { UsageError } from '../errors.js'
import { formatAddress } from '../text.js'

/** Where a view lies. */
interface Place {
  readonly start: Address
  readonly end: Address
}

/** @throws UsageError ERR_MEMLAYER_VIEW always. The layer can't detach the buffer that has the bytes now. */
export function wasMoved(op: string, v: Address, n: number): never {
  const message =
    `${op}(${formatAddress(v)}, ${n}): a view of this range was transferred, ` +
    `and the layer can't detach the buffer that has the bytes now`
  const hint =
    'Give that buffer back with region.reclaim(buffer). Until then these pages stay, and others of the region can ' +
    'be freed: free(offset, length). Read a stream with region.readFrom(stream) and send with region.stream(). ' +
    'Post a copy made with slice(), or share the region with region.share(worker).'
  throw new UsageError('ERR_MEMLAYER_VIEW', message, { op, address: v, size: n, hint })
}

/** @throws UsageError ERR_MEMLAYER_VIEW always. */
export function notDetachable(op: string, { start, end }: Place, cause: unknown): never {
  const said = cause instanceof Error ? cause.message : ''
  const why = said === '' ? '' : `: ${said.endsWith('.') ? said.slice(0, -1) : said}`
  const message = `${op}: the view of ${end - start} bytes at ${formatAddress(start)} can't be detached${why}`
  const hint =
    'Wait until the call that uses the view has ended, and do not mark its buffer with markAsUntransferable. ' +
    'Its pages stay Ready until the buffer can be detached, or was collected.'
  throw new UsageError('ERR_MEMLAYER_VIEW', message, { op, address: start, size: end - start, hint, cause })
}

/** @throws UsageError ERR_MEMLAYER_STATE always. */
export function madeAnew(op: string, v: Address, n: number): never {
  const why = 'code that runs while views are detached makes new ones again and again'
  const message = `${op}(${formatAddress(v)}, ${n}): ${why}`
  const hint = 'Make no view of these pages where a buffer is detached.'
  throw new UsageError('ERR_MEMLAYER_STATE', message, { op, address: v, size: n, hint })
}

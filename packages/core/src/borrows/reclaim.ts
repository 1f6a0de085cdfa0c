// The way back from a moved view. Somebody has the buffer that its bytes went to. They give that buffer up, and the
// pages are the owner's again. The buffer is proved to be over those very pages before it is detached.
import { alignDown, alignUp, isDetached, type Address } from '@memlayer/kernel'
import { UsageError } from '../errors.js'
import type { OS } from '../os.js'
import { show } from '../text.js'

/** The buffer of what a caller gave. @throws UsageError ERR_MEMLAYER_VIEW when it has no bytes. */
export function bufferGiven(moved: unknown): ArrayBuffer {
  const buffer: unknown = ArrayBuffer.isView(moved) ? moved.buffer : moved
  if (Object.prototype.toString.call(buffer) !== '[object ArrayBuffer]') {
    wrongBuffer(`${show(moved)} is not an ArrayBuffer or a view of one`)
  }
  if (isDetached(buffer as ArrayBuffer)) wrongBuffer('the buffer was detached, so another buffer has the bytes')
  return buffer as ArrayBuffer
}

/** @throws UsageError ERR_MEMLAYER_VIEW always. */
export function wrongBuffer(what: string): never {
  const hint = 'Pass the buffer that has the bytes now: `value.buffer` of a BYOB read, `data` of a message.'
  throw new UsageError('ERR_MEMLAYER_VIEW', `reclaim: ${what}`, { op: 'reclaim', hint })
}

/**
 * Whether `buffer` is over the bytes from `v` on. A byte that is changed in one has to change in the other, at both
 * ends and twice, because the same bytes may be there by chance. Every byte is as before afterwards.
 */
export function isOver(os: Pick<OS, 'view'>, v: Address, buffer: ArrayBuffer): boolean {
  const n = buffer.byteLength
  const theirs = new Uint8Array(buffer)
  const ours = new Uint8Array(os.view(v, n))
  return [0, n - 1].every((at) => {
    const before = ours[at] as number
    if (theirs[at] !== before) return false
    const isSame = [0x55, 0xaa].every((mask) => {
      ours[at] = before ^ mask
      return theirs[at] === (before ^ mask)
    })
    ours[at] = before
    return isSame
  })
}

/** Bytes of the whole pages that these views pin. Two views may pin the same page. */
export function pinnedBytes(
  entries: Iterable<{ readonly start: Address; readonly end: Address }>,
  pageSize: number,
): number {
  const pages = Array.from(entries, ({ start, end }) => [alignDown(start, pageSize), alignUp(end, pageSize)] as const)
  pages.sort(([a], [b]) => a - b)
  let [bytes, reached] = [0, 0]
  for (const [start, end] of pages) {
    bytes += Math.max(0, end - Math.max(start, reached))
    reached = Math.max(reached, end)
  }
  return bytes
}

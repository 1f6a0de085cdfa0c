// How far a growable buffer makes pages Ready ahead of its length. growable-buffer.ts asks.
import { alignDown } from '@memlayer/kernel'
import type { Memory } from '../memory.js'

/** Of a length that is reached in one step, the part that is made Ready ahead of it. */
const aheadPart = 8

/**
 * Up to where pages are made Ready, if that is beyond `length`. `from` is where Ready pages end now. Such pages cost
 * nothing until they are touched. Where they do cost, or a limit counts them, there are none.
 */
export function aheadOf({ os, limit }: Memory, from: number, length: number, step: number, isViewed: boolean): number {
  const isCharged = os.sysRoomOS !== undefined || os.quarantine?.writable !== Infinity
  if (isCharged || limit !== null || os.detach !== undefined) return 0
  // A buffer that begins long, or becomes twice as long at once, is likely to grow on.
  if (length >= 2 * from) return length + alignDown(Math.floor(length / aheadPart), step)
  return isViewed ? 2 * from : 0
}

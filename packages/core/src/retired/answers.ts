// What retired and lingering memory asks of the OS, where a refusal is an answer and no error: there is another way, or
// an advice is lost.
import type { Address } from '@memlayer/kernel'
import type { OS } from '../os.js'

/** Gives the memory of [v, v+n) back, and keeps the addresses so that they can be touched. False: the OS can't. */
export function givesBack(os: OS, v: Address, n: number, isMapped: boolean): boolean {
  let isDone = false
  try {
    isDone = os.sysRetireOS?.(v, n, isMapped) === true
  } catch {
    // The caller has another way, or loses an advice.
  }
  forgetRefusal(os)
  return isDone
}

/** No error is made of what the OS refused. */
export function forgetRefusal(os: OS): void {
  if (os.refusal) os.refusal = null
}

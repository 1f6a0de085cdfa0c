// Reads and writes the bytes of a range through short-lived views, which are detached after each use. A view that stays
// would change the range, and the case would no longer test the backend alone.
import type { OS } from '@memlayer/core'
import { detachView, viewOffset, type Address } from '@memlayer/kernel'
import { claim, rangeText } from './claim.js'

/** Runs `look` over the bytes of [v, v+n). */
export function withBytes<T>(os: OS, v: Address, n: number, look: (bytes: Uint8Array) => T): T {
  const buffer = os.view(v, n)
  try {
    return look(new Uint8Array(buffer, viewOffset(buffer, v, n), n))
  } finally {
    if (buffer.byteLength === n && os.detach === undefined) detachView(buffer)
  }
}

/** Fills [v, v+n). */
export function fill(os: OS, v: Address, n: number, byte: number): void {
  withBytes(os, v, n, (bytes) => bytes.fill(byte))
}

/** Fails unless every byte of [v, v+n) is `byte`. */
export function claimBytes(os: OS, v: Address, n: number, byte: number, what: string): void {
  claimBytesAmong(os, v, n, [byte], what)
}

/** Fails unless each page of [v, v+n) is full of one of `allowed`. */
export function claimBytesAmong(os: OS, v: Address, n: number, allowed: readonly number[], what: string): void {
  const { pageSize } = os.traits
  withBytes(os, v, n, (bytes) => {
    for (let at = 0; at < n; at += pageSize) {
      const page = bytes.subarray(at, at + pageSize)
      const [first = -1] = page
      const odd = page.findIndex((byte) => byte !== first)
      const found = odd === -1 ? first : (page[odd] ?? -1)
      const right = odd === -1 && allowed.includes(first)
      const place = `${rangeText(v, n)} holds ${found} at offset ${at + Math.max(odd, 0)}`
      claim(right, `${what}: ${place}, expected ${allowed.join(' or ')}`)
    }
  })
}

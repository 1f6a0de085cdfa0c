// sysAdoptOS: the whole pages of a buffer that other code has. They keep their bytes when they come and when they go,
// and nothing is touched that the buffer has lost.
import type { OS } from '@memlayer/core'
import { viewOffset } from '@memlayer/kernel'
import { claim, rangeText, same } from '../claim.js'
import { absent, type Definition, type Verdict, type World } from '../definition.js'
import { beyond32Bits, thresholds } from './place.js'

const byte = 0x5a

type Adopting = OS & Required<Pick<OS, 'sysAdoptOS'>>

function isAdopting(os: OS): os is Adopting {
  return os.sysAdoptOS !== undefined
}

/** The pages of a buffer whose bytes are all `byte`. */
function adoptFilled(os: Adopting, buffer: ArrayBufferLike): { v: number; n: number; bytes: Uint8Array } {
  const bytes = new Uint8Array(buffer).fill(byte)
  const pages = os.sysAdoptOS(() => buffer)
  claim(pages !== null, `sysAdoptOS refused a buffer of ${buffer.byteLength} bytes`)
  const { address: v, size: n } = pages
  const page = os.traits.pageSize
  claim(v % page === 0 && n % page === 0, `sysAdoptOS: ${rangeText(v, n)} is not whole pages of ${page} bytes`)
  const least = buffer.byteLength - 2 * (page - 1)
  claim(n >= least && n <= buffer.byteLength, `sysAdoptOS: ${n} bytes of a buffer of ${buffer.byteLength}`)
  same(pages.isThere(), true, 'isThere() of pages that were adopted')
  return { v, n, bytes }
}

/** Fails unless each byte of [v, v+n), by `view`, is `expected`. */
function claimBytes(os: OS, v: number, n: number, expected: number, when: string): void {
  const buffer = os.view(v, n)
  const bytes = new Uint8Array(buffer, viewOffset(buffer, v, n), n)
  const at = bytes.findIndex((found) => found !== expected)
  claim(at === -1, `view of ${rangeText(v, n)} ${when}: expected ${expected} at offset ${at}, found ${bytes[at]}`)
}

function contents(world: World): Verdict | undefined {
  return world.play(({ os }) => {
    if (!isAdopting(os)) return absent('sysAdoptOS')
    const page = os.traits.pageSize
    for (const buffer of [new SharedArrayBuffer(40 * page), new ArrayBuffer(40 * page)]) {
      const { v, n, bytes } = adoptFilled(os, buffer)
      claimBytes(os, v, n, byte, 'that was adopted')
      os.sysUnusedOS(v + page, 2 * page)
      os.sysUsedOS(v + page, 2 * page)
      claimBytes(os, v + page, 2 * page, 0, 'after sysUnused and sysUsed')
      claimBytes(os, v, page, byte, 'below pages that were unused')
      claimBytes(os, v + 3 * page, n - 3 * page, byte, 'above pages that were unused')
      os.sysFreeOS(v, n)
      const left = bytes.reduce((count, found) => count + Number(found === byte), 0)
      same(left, buffer.byteLength - 2 * page, `bytes of ${rangeText(v, n)} that a buffer keeps after sysFree`)
      const again = os.sysAdoptOS(() => buffer)
      same(again?.address, v, 'the address of a buffer that is adopted again')
      os.sysFreeOS(v, n)
    }
    return undefined
  })
}

/** A backend whose memory is the engine's gives a buffer up once nothing of it is owned. */
function given(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { os, pageSize } = stage
    if (!isAdopting(os)) return absent('sysAdoptOS')
    for (const obtain of ['sysAllocOS', 'sysReserveOS'] as const) {
      const far = obtain === 'sysAllocOS' ? [beyond32Bits(pageSize)] : []
      for (const n of [...thresholds(stage), ...far]) {
        const v = obtain === 'sysAllocOS' ? os.sysAllocOS(n) : os.sysReserveOS(null, n)
        if (v === null && n > 2 ** 32) continue
        claim(v !== null, `${obtain} refused ${n} bytes`)
        const buffer = os.view(v, n)
        os.sysFreeOS(v, n)
        // While the backend owns a page of it, the buffer can't be adopted.
        const pages = os.sysAdoptOS(() => buffer)
        claim(
          pages !== null,
          `after ${obtain} and sysFreeOS of ${n} bytes, the backend still owns a part of the buffer`,
        )
        os.sysFreeOS(pages.address, pages.size)
      }
    }
    os.refusal = null
    return undefined
  })
}

function lost(world: World): Verdict | undefined {
  return world.play(({ os }) => {
    if (!isAdopting(os)) return absent('sysAdoptOS')
    const page = os.traits.pageSize
    const buffer = new ArrayBuffer(40 * page)
    const { v, n } = adoptFilled(os, buffer)
    // A transfer leaves the bytes where they are, and another buffer has them.
    const moved = new Uint8Array(buffer.transfer())
    os.sysUnusedOS(v, 4 * page)
    os.sysUsedOS(v, 4 * page)
    os.sysFaultOS(v + 4 * page, page)
    os.sysZeroOS?.(v + 8 * page, page)
    os.sysFreeOS(v, n)
    const at = moved.findIndex((found) => found !== byte)
    claim(at === -1, `calls on ${rangeText(v, n)} changed the byte at offset ${at} of a buffer that has moved`)
    return undefined
  })
}

export const adoptCases: readonly Definition[] = [
  {
    id: 'adopt/contents',
    title: 'sysAdoptOS: whole pages of a buffer, Ready with their bytes, which sysFree leaves to it',
    show: contents,
  },
  {
    id: 'adopt/given-up',
    title: 'sysFree: a buffer of the engine all of which was freed is no longer the backend’s, and can be adopted',
    show: given,
  },
  {
    id: 'adopt/lost',
    title: 'sysAdoptOS: a buffer that was transferred keeps every byte, whatever is called on its pages',
    show: lost,
  },
]

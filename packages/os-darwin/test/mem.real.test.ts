// The transitions on real pages, with Linux in Darwin's place: what becomes of the memory, by the
// kernel's own account.
import { posixKernel } from '@memlayer/ffi'
import { createOS } from '@memlayer/os-darwin'
import { standIn } from '@memlayer/stand-in'
import {
  expectAdvice,
  expectBareReservation,
  expectWholeLife,
  testCopies,
  testFault,
  testWithoutLedger,
  type RealBackend,
} from '@memlayer/stand-in/vitest'
import { describe, expect, it } from 'vitest'

const onLinux = process.platform === 'linux'
const hostPage = onLinux ? posixKernel().pageSize : 4096
// A stand-in's pages are made of the host's.
const pageSizes = [4096, 16384].filter((size) => size % hostPage === 0)

// On a page of Intel's, and off one of Apple's own processors.
const darwin: RealBackend = { createOS, standIn: () => standIn('darwin'), offPage: 4096, mapCall: 'mmap' }

describe.skipIf(!onLinux)('os-darwin over real pages (Linux stands in)', () => {
  it.each(pageSizes)('lives a whole life on pages of %i bytes, and gives back all it took', (pageSize) => {
    expectWholeLife({ ...darwin, standIn: () => standIn('darwin', { pageSize }) })
  })

  it('has the kernel’s page as its page, and freezes its facts', () => {
    const { traits } = createOS({ kernel: standIn('darwin').kernel })
    expect(traits).toMatchObject({ pageSize: 16384, granularity: 16384, hugePageSize: 0, freesParts: true })
    expect(Object.isFrozen(traits)).toBe(true)
  })

  it('reserves a TiB without memory, faulting, and maps a part of it zeroed', () => expectBareReservation(darwin))

  it('says FREE_REUSABLE of what it gives back and FREE_REUSE of what it takes, once each', () =>
    expectAdvice(darwin, [7, 8]))

  testFault(darwin)
  testCopies(darwin)
  testWithoutLedger(darwin)
})

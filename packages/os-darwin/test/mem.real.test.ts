// The transitions on real pages, with Linux in Darwin's place. The kernel's own account shows what happens to the
// memory.
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
// A stand-in makes its pages from the host's.
const pageSizes = [4096, 16384].filter((size) => size % hostPage === 0)

// 4096 is aligned to Intel's page, but not to that of Apple's own processors.
const darwin: RealBackend = { createOS, standIn: () => standIn('darwin'), offPage: 4096, mapCall: 'mmap' }

describe.skipIf(!onLinux)('os-darwin over real pages (Linux stands in)', () => {
  it.each(pageSizes)('runs a whole life on pages of %i bytes, and gives back all that it took', (pageSize) => {
    expectWholeLife({ ...darwin, standIn: () => standIn('darwin', { pageSize }) })
  })

  it('has the kernel’s page size, and frozen traits', () => {
    const { traits } = createOS({ kernel: standIn('darwin').kernel })
    expect(traits).toMatchObject({ pageSize: 16384, granularity: 16384, hugePageSize: 0, freesParts: true })
    expect(Object.isFrozen(traits)).toBe(true)
  })

  it('reserves a TiB that faults and has no memory, and maps a part of it zeroed', () => expectBareReservation(darwin))

  it('advises FREE_REUSABLE once for a range given back, and FREE_REUSE once to use it again', () =>
    expectAdvice(darwin, [7, 8]))

  testFault(darwin)
  testCopies(darwin)
  testWithoutLedger(darwin)
})

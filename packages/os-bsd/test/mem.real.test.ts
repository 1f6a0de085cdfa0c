// The transitions on real pages. Linux runs the calls of each flavor, and its own account shows what happens to the
// memory.
import { createOS, type Flavor } from '@memlayer/os-bsd'
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
const MiB = 2 ** 20
const flavors: Flavor[] = ['freebsd', 'dragonfly', 'netbsd', 'openbsd', 'solaris', 'illumos']

describe.skipIf(!onLinux).each(flavors)('os-bsd as %s over real pages (Linux stands in)', (flavor) => {
  const bsd: RealBackend = {
    createOS: ({ kernel }) => createOS({ kernel, flavor }),
    standIn: () => standIn(flavor),
    offPage: 512,
    mapCall: 'mmap',
  }

  it('runs a whole life, and gives back all that it took', () => expectWholeLife(bsd))

  it('reserves a TiB that faults and has no memory, and maps a part of it zeroed', () => expectBareReservation(bsd))

  it('advises MADV_FREE once for a range given back, and makes no call to use it again', () => {
    expectAdvice(bsd, [flavor === 'netbsd' || flavor === 'openbsd' ? 6 : 5])
  })

  testFault(bsd)
  testCopies(bsd)
  testWithoutLedger(bsd)
})

describe.skipIf(!onLinux)('the stand-in for a flavor accepts only that flavor’s numbers', () => {
  it.each([
    ['freebsd', 'solaris'],
    ['solaris', 'freebsd'],
    ['freebsd', 'illumos'],
  ] as const)('a backend for %s gets no memory on %s', (flavor, kernelOf) => {
    const os = createOS({ kernel: standIn(kernelOf).kernel, flavor })
    expect(os.sysReserveOS(null, MiB)).toBe(null)
    expect(os.refusal).toMatchObject({ errnoName: 'EINVAL' })
  })
})

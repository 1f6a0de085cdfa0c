// The transitions on real pages, with Linux in each flavor's place: what becomes of the memory, by
// the kernel's own account.
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

  it('lives a whole life, and gives back all it took', () => expectWholeLife(bsd))

  it('reserves a TiB without memory, faulting, and maps a part of it zeroed', () => expectBareReservation(bsd))

  it('advises MADV_FREE once for what it gives back, and asks nothing to take it again', () => {
    expectAdvice(bsd, [flavor === 'netbsd' || flavor === 'openbsd' ? 6 : 5])
  })

  testFault(bsd)
  testCopies(bsd)
  testWithoutLedger(bsd)
})

describe.skipIf(!onLinux)('the stand-in for a flavor takes that flavor’s numbers alone', () => {
  it.each([
    ['freebsd', 'solaris'],
    ['solaris', 'freebsd'],
    ['freebsd', 'illumos'],
  ] as const)('a backend for %s gets nowhere on %s', (flavor, kernelOf) => {
    const os = createOS({ kernel: standIn(kernelOf).kernel, flavor })
    expect(os.sysReserveOS(null, MiB)).toBe(null)
    expect(os.refusal).toMatchObject({ errnoName: 'EINVAL' })
  })
})

// What a person reads when the kernel refuses or answers another address. Nothing was lost by then.
import { createMemory, OutOfMemoryError } from '@memlayer/core'
import { createOS, type Flavor } from '@memlayer/os-bsd'
import { blankKernel } from '@memlayer/stand-in'
import {
  expectMapRefused,
  testElsewhere,
  testKeptMemory,
  testMisuse,
  testRefusals,
  testUnknownError,
  type RefusedBackend,
} from '@memlayer/stand-in/vitest'
import { errorOf } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const bsd: RefusedBackend = { createOS, pageSize: 4096, offPage: 2048, mapCall: 'mmap', hint: 'swapinfo' }

describe('os-bsd, refused', () => {
  testRefusals(bsd)
  testUnknownError(bsd)
  testElsewhere(bsd)
  testKeptMemory(bsd)

  const noMemory = 'out of memory'
  const cannotMap = 'cannot map pages in arena address space'
  it.each([
    ['freebsd', 12, 'ENOMEM', noMemory],
    ['dragonfly', 12, 'ENOMEM', noMemory],
    ['netbsd', 12, 'ENOMEM', noMemory],
    ['openbsd', 12, 'ENOMEM', noMemory],
    ['solaris', 12, 'ENOMEM', noMemory],
    ['illumos', 12, 'ENOMEM', noMemory],
    // No swap space is left. EAGAIN means out of memory only here.
    ['solaris', 11, 'EAGAIN', noMemory],
    ['illumos', 11, 'EAGAIN', noMemory],
    ['freebsd', 35, 'EAGAIN', cannotMap],
    ['dragonfly', 35, 'EAGAIN', cannotMap],
    ['netbsd', 35, 'EAGAIN', cannotMap],
    ['openbsd', 35, 'EAGAIN', cannotMap],
    ['freebsd', 11, 'EDEADLK', cannotMap],
    ['solaris', 35, 'errno 35', cannotMap],
    ['illumos', 13, 'EACCES', cannotMap],
    ['openbsd', 22, 'EINVAL', cannotMap],
  ] as const)(
    '%s: sysMap answered %i %s is a FatalError, "%s", and the range stays Reserved',
    (flavor, errno, errnoName, words) => {
      expectMapRefused({ ...bsd, createOS: ({ kernel }) => createOS({ kernel, flavor }) }, { errno, errnoName, words })
    },
  )

  it.each([
    ['freebsd', 35, 'ulimit -l'],
    ['illumos', 11, 'swap -s'],
    ['openbsd', 12, 'datasize'],
    ['netbsd', 12, 'swapctl'],
    ['dragonfly', 12, 'swapinfo'],
    ['solaris', 12, 'swap -s'],
    // A reservation has no range yet that other code could have unmapped.
    ['freebsd', 22, 'Look up the error number'],
  ] as [Flavor, number, string][])('%s: a reservation answered %i has a hint that names %s', (flavor, errno, words) => {
    const kernel = blankKernel(bsd.pageSize, { mmap: () => -errno })
    const error = errorOf(() => createMemory(createOS({ kernel, flavor })).sysReserve(null, bsd.pageSize))
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect((error as OutOfMemoryError).hint).toContain(words)
  })
})

describe('os-bsd, misused', () => {
  testMisuse(bsd)
})

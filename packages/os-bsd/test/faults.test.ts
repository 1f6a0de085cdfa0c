// The k-th kernel call fails, for every k of a life, in all six flavors.
import { createOS, type Flavor } from '@memlayer/os-bsd'
import { standIn } from '@memlayer/stand-in'
import { testFailures } from '@memlayer/stand-in/vitest'
import { describe } from 'vitest'

const flavors: readonly Flavor[] = ['freebsd', 'dragonfly', 'netbsd', 'openbsd', 'solaris', 'illumos']

describe.skipIf(process.platform !== 'linux')('os-bsd with the k-th kernel call failing (Linux stands in)', () => {
  for (const flavor of flavors) {
    testFailures({
      name: flavor,
      createOS: ({ kernel }) => createOS({ kernel, flavor }),
      standIn: () => standIn(flavor),
      family: flavor,
      errors: ['ENOMEM', 'EAGAIN', 'EINVAL'],
    })
  }
})

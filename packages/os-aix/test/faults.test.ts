// The k-th kernel call fails, for every k of a life, with the errors that AIX gives.
import { createOS } from '@memlayer/os-aix'
import { standIn } from '@memlayer/stand-in'
import { testFailures } from '@memlayer/stand-in/vitest'
import { describe } from 'vitest'

describe.skipIf(process.platform !== 'linux')('os-aix with the k-th kernel call failing (Linux stands in)', () => {
  testFailures({
    name: 'aix',
    createOS,
    standIn: () => standIn('aix'),
    family: 'aix',
    errors: ['ENOMEM', 'EACCES', 'EAGAIN', 'EINVAL'],
    fatalInAlloc: ['EACCES', 'EAGAIN'],
  })
})

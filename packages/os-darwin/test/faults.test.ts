// The k-th kernel call fails, for every k of a life, on both page sizes of Apple's systems.
import { createOS } from '@memlayer/os-darwin'
import { standIn } from '@memlayer/stand-in'
import { testFailures } from '@memlayer/stand-in/vitest'
import { describe } from 'vitest'

describe.skipIf(process.platform !== 'linux')('os-darwin with the k-th kernel call failing (Linux stands in)', () => {
  const darwin = { createOS, family: 'darwin' } as const
  testFailures({
    ...darwin,
    name: 'pages of 4096 bytes',
    standIn: () => standIn('darwin', { pageSize: 4096 }),
    errors: ['ENOMEM'],
  })
  testFailures({
    ...darwin,
    name: 'pages of 16384 bytes',
    standIn: () => standIn('darwin', { pageSize: 16384 }),
    errors: ['ENOMEM', 'EINVAL', 'EAGAIN'],
  })
})

// What a person reads when the kernel refuses or answers another address. Nothing was lost by then.
import { createOS } from '@memlayer/os-darwin'
import {
  expectMapRefused,
  testElsewhere,
  testKeptMemory,
  testMisuse,
  testRefusals,
  testUnknownError,
  type RefusedBackend,
} from '@memlayer/stand-in/vitest'
import { describe, it } from 'vitest'

// 16384 is the page of Apple's own processors. Intel's 4096 is unaligned to it.
const darwin: RefusedBackend = { createOS, pageSize: 16384, offPage: 4096, mapCall: 'mmap', hint: 'vm_stat' }

describe('os-darwin, refused', () => {
  testRefusals(darwin)
  testElsewhere(darwin)
  testKeptMemory(darwin)
  testUnknownError(darwin)

  it.each([
    [12, 'ENOMEM', 'out of memory'],
    [13, 'EACCES', 'cannot map pages in arena address space'],
    [22, 'EINVAL', 'cannot map pages in arena address space'],
    // Darwin's EAGAIN. The number 11 is EDEADLK there.
    [35, 'EAGAIN', 'cannot map pages in arena address space'],
    [11, 'EDEADLK', 'cannot map pages in arena address space'],
  ])('sysMap answered %i %s is a FatalError in Go’s words, and changes no state', (errno, errnoName, words) => {
    expectMapRefused(darwin, { errno, errnoName, words })
  })
})

describe('os-darwin, misused', () => {
  testMisuse(darwin)
})

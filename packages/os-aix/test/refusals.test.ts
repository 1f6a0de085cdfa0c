// What a person reads when the kernel refuses. Nothing was lost by then. The backend never maps at a fixed address,
// so the kernel can't answer another one.
import { createMemory, FatalError, OutOfMemoryError } from '@memlayer/core'
import { record } from '@memlayer/kernel'
import { createOS } from '@memlayer/os-aix'
import { blankKernel } from '@memlayer/stand-in'
import {
  expectMapRefused,
  statesOf,
  testMisuse,
  testRefusals,
  testUnknownError,
  type RefusedBackend,
} from '@memlayer/stand-in/vitest'
import { errorOf } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const page = 4096
const aix: RefusedBackend = { createOS, pageSize: page, offPage: 2048, mapCall: 'mprotect', hint: 'lsps' }

describe('os-aix, refused', () => {
  testRefusals(aix)
  testUnknownError(aix)

  it.each([
    [13, 'EACCES', 'mmap: access denied'],
    [11, 'EAGAIN', "mmap: too much locked memory (check 'ulimit -l')."],
  ])(
    'sysAlloc answered %i %s is a FatalError in the words that Go exits with, and counts nothing',
    (errno, errnoName, words) => {
      const memory = createMemory(createOS({ kernel: blankKernel(page, { mmap: () => -errno }) }))
      const stat = memory.stat('test')
      const error = errorOf(() => memory.sysAlloc(page, stat))
      expect(error).toBeInstanceOf(FatalError)
      expect((error as Error).message.startsWith(words)).toBe(true)
      expect(error).toMatchObject({ op: 'sysAlloc', syscall: 'mmap', errno, errnoName, size: page })
      expect(stat.load()).toBe(0)
      expect(memory.ranges()).toEqual([])
      // The same answer to a reservation is only a refusal, as in Go.
      expect(errorOf(() => memory.sysReserve(null, page))).toBeInstanceOf(OutOfMemoryError)
    },
  )

  it.each([
    [12, 'ENOMEM', 'out of memory'],
    [13, 'EACCES', 'cannot map pages in arena address space'],
    [22, 'EINVAL', 'cannot map pages in arena address space'],
    [11, 'EAGAIN', 'cannot map pages in arena address space'],
  ])('sysMap answered %i %s is a FatalError in Go’s words, and changes no state', (errno, errnoName, words) => {
    expectMapRefused(aix, { errno, errnoName, words })
  })

  it('a range stays Ready and keeps its memory when the kernel refuses to protect it', () => {
    const { kernel, take } = record(blankKernel(page, { mprotect: () => -22 }))
    const memory = createMemory(createOS({ kernel }))
    const v = memory.sysAlloc(page, memory.stat('test'))
    take()
    const error = errorOf(() => memory.sysFault(v, page))
    expect(error).toMatchObject({ name: 'FatalError', op: 'sysFault', syscall: 'mprotect', errnoName: 'EINVAL' })
    expect(take().map(({ fn }) => fn)).toEqual(['mprotect'])
    expect(statesOf(memory)).toEqual([`0+${page} Ready`])
    memory.check()
  })

  it('the range still faults when the kernel refuses the advice in sysFault', () => {
    const memory = createMemory(createOS({ kernel: blankKernel(page, { madvise: () => -22 }) }))
    const v = memory.sysAlloc(page, memory.stat('test'))
    memory.sysFault(v, page)
    expect(statesOf(memory)).toEqual([`0+${page} Reserved`])
    memory.check()
  })
})

describe('os-aix, misused', () => {
  testMisuse(aix)
})

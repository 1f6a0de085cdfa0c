// The transitions on real pages, with Linux in place of AIX, which never maps over a mapping. The kernel's own
// account shows what happens to the memory.
import { createMemory } from '@memlayer/core'
import { createOS } from '@memlayer/os-aix'
import { standIn } from '@memlayer/stand-in'
import {
  expectAdvice,
  expectBareReservation,
  expectWholeLife,
  testCopies,
  testWithoutLedger,
  type RealBackend,
} from '@memlayer/stand-in/vitest'
import { bytesWith } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const onLinux = process.platform === 'linux'
const MiB = 2 ** 20

const aix: RealBackend = { createOS, standIn: () => standIn('aix'), offPage: 512, mapCall: 'mprotect' }

describe.skipIf(!onLinux)('os-aix over real pages (Linux stands in)', () => {
  it('runs a whole life, and gives back all that it took', () => expectWholeLife(aix))

  it('reserves a TiB that faults and has no memory, and opens a part of it zeroed', () => expectBareReservation(aix))

  it('makes a range fault, which Go’s own call does not do here, and maps it again', () => {
    const { kernel } = standIn('aix')
    const memory = createMemory(createOS({ kernel }))
    const stat = memory.stat('test')
    const v = memory.sysAlloc(MiB, stat)
    // mem_aix.go: mmap(v, n, PROT_NONE, MAP_ANON|MAP_PRIVATE|MAP_FIXED), over a mapping.
    expect(kernel.mmap(v, MiB, 0, 0x112, -1, 0)).toBe(-22)
    expect(bytesWith('rw-p', v, MiB)).toBe(MiB)
    memory.sysFault(v, MiB)
    expect(bytesWith('---p', v, MiB)).toBe(MiB)
    memory.sysMap(v, MiB, stat)
    memory.sysUsed(v, MiB)
    expect(bytesWith('rw-p', v, MiB)).toBe(MiB)
    memory.sysFree(v, MiB, stat)
    memory.check()
  })

  it('advises DONTNEED once for a range given back, and makes no call to use it again', () => expectAdvice(aix, [4]))

  it('promises neither to return memory nor zeroes, because IBM’s madvise does neither', () => {
    const { traits } = createOS({ kernel: standIn('aix').kernel })
    expect(traits).toMatchObject({ unusedReturnsMemory: false, unusedDropsContents: false, faultTraps: true })
    expect(Object.isFrozen(traits)).toBe(true)
  })

  testCopies(aix)
  testWithoutLedger(aix)
})

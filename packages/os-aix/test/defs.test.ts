// The trap of every port to AIX: MAP_ANON has the number that other systems give MAP_FIXED.
import { flagWords, record } from '@memlayer/kernel'
import { createOS } from '@memlayer/os-aix'
import { blankKernel } from '@memlayer/stand-in'
import { describe, expect, it } from 'vitest'

describe('os-aix’s flags', () => {
  it('are MAP_ANON 0x10 and never MAP_FIXED 0x100, in every call', () => {
    const { kernel, calls } = record(blankKernel(4096))
    const os = createOS({ kernel })
    const v = os.sysReserveOS(null, 65536) ?? 0
    os.sysMapOS(v, 65536)
    os.sysUsedOS(v, 65536)
    os.sysUnusedOS(v, 65536)
    os.sysFaultOS(v, 65536)
    os.sysFreeOS(v, 65536)
    os.sysAllocOS(65536)
    const flags = calls.filter(({ fn }) => fn === 'mmap').map(({ args }) => args[3])
    expect(flags).toEqual([0x12, 0x12])
    expect(flagWords.aix.map).toContainEqual([0x10, 'MAP_ANON'])
    expect(flagWords.aix.map).toContainEqual([0x100, 'MAP_FIXED'])
  })
})

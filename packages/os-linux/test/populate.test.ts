// MADV_POPULATE_WRITE on the real kernel. Populated pages are resident, do not fault again, and keep their
// contents. A port that refuses plays an old kernel, which is asked only once.
import { createMemory, OutOfMemoryError } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'
import { posixKernel } from '@memlayer/ffi'
import { record, type PosixKernel } from '@memlayer/kernel'
import { residentBytes } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const MiB = 2 ** 20
const MADV_POPULATE_WRITE = 23
const ENOMEM = 12

/** The host's kernel, except that it answers one advice with an error. */
function refusing(advice: number, errno: number): PosixKernel {
  const kernel = posixKernel()
  return {
    ...kernel,
    madvise: (addr, length, asked) => (asked === advice ? -errno : kernel.madvise(addr, length, asked)),
  }
}

describe.skipIf(process.platform !== 'linux')('populate (needs Linux)', () => {
  it('gives pages their memory, so that a fill does not fault', (context) => {
    const memory = createMemory(createOS())
    const page = memory.os.traits.pageSize
    using region = memory.reserve(64 * MiB, { hugePages: 'off' })
    region.commit(0, 64 * MiB)
    const bytes = region.view(Uint8Array, 0, 64 * MiB)
    bytes[5 * page] = 7
    if (!region.populate(0, 32 * MiB)) context.skip('needs Linux 5.14 or later')
    expect(residentBytes(region.address, region.size, page)).toBe(32 * MiB)
    expect([bytes[5 * page], bytes[6 * page]]).toEqual([7, 0])
    const faults = (run: () => void): number => {
      const before = process.resourceUsage().minorPageFault
      run()
      return process.resourceUsage().minorPageFault - before
    }
    const populated = faults(() => bytes.fill(1, 0, 32 * MiB))
    const untouched = faults(() => bytes.fill(1, 32 * MiB))
    // The engine's own threads may fault on a few pages in the meantime.
    expect(untouched).toBeGreaterThanOrEqual((32 * MiB) / page)
    expect(populated).toBeLessThan(untouched / 10)
  })

  it('is one kernel call, also after unused and used', (context) => {
    const { kernel, take } = record(posixKernel())
    const memory = createMemory(createOS({ kernel }))
    const page = kernel.pageSize
    // Where huge pages are "always", one fault beside another mapping can make all of the range resident.
    using region = memory.reserve(MiB, { hugePages: 'off' })
    region.commit(0, MiB)
    take()
    if (!region.populate(page, 4 * page)) context.skip('needs Linux 5.14 or later')
    expect(take()).toEqual([{ fn: 'madvise', args: [region.address + page, 4 * page, MADV_POPULATE_WRITE], ret: 0 }])
    region.unused(page, 2 * page)
    expect(residentBytes(region.address, MiB, page)).toBe(2 * page)
    region.used(page, 2 * page)
    region.populate(page, 2 * page)
    expect(residentBytes(region.address, MiB, page)).toBe(4 * page)
  })

  it.each([
    ['EINVAL, as a kernel before 5.14 does', 22],
    ['EPERM, as a filter of system calls does', 1],
    ['ENOSYS, as a kernel of a sandbox does', 38],
  ])('is false where the kernel answers %s, asks once, and touches nothing', (_, errno) => {
    const { kernel, take } = record(refusing(MADV_POPULATE_WRITE, errno))
    const memory = createMemory(createOS({ kernel }))
    using region = memory.reserve(MiB)
    region.commit(0, MiB)
    take()
    expect([region.populate(0, MiB), region.populate(0, MiB)]).toEqual([false, false])
    expect(take()).toHaveLength(1)
    expect(residentBytes(region.address, MiB, kernel.pageSize)).toBe(0)
    expect(memory.os.refusal).toBe(null)
  })

  it('is refused without memory, and may be asked for again', () => {
    const memory = createMemory(createOS({ kernel: refusing(MADV_POPULATE_WRITE, ENOMEM) }))
    using region = memory.reserve(MiB)
    region.commit(0, MiB)
    for (let i = 0; i < 2; i++) {
      let error: unknown
      try {
        region.populate(0, MiB)
      } catch (thrown) {
        error = thrown
      }
      expect(error).toBeInstanceOf(OutOfMemoryError)
      expect(error).toMatchObject({
        op: 'populate',
        region: 'region',
        syscall: 'madvise',
        errnoName: 'ENOMEM',
        size: MiB,
      })
    }
    memory.check()
  })
})

it.each([
  ['mipsel', 89, false],
  ['x64', 38, false],
  ['x64', 89, true],
] as const)('takes the number of ENOSYS from the processor: %s and %i', (arch, errno, asksAgain) => {
  // No page is touched, so a port without memory does.
  const { kernel, take } = record<PosixKernel>({
    arch,
    pageSize: 4096,
    hugePageSize: 0,
    mmap: () => 0x7f0000000000,
    munmap: () => 0,
    mprotect: () => 0,
    madvise: (_v, _n, advice) => (advice === MADV_POPULATE_WRITE ? -errno : 0),
    view: (_v, n) => new ArrayBuffer(n),
  })
  const os = createOS({ kernel })
  const v = os.sysAllocOS(MiB) ?? NaN
  const first = os.sysPopulateOS?.(v, MiB)
  take()
  os.refusal = null
  void os.sysPopulateOS?.(v, MiB)
  expect([first, take().length]).toEqual(asksAgain ? [null, 1] : [false, 0])
})

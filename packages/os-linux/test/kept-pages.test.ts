// Pages that the kernel does not take back: locked ones, and those of a process whose filter forbids madvise. What the
// layer promises stays true: a page that was given back reads zero. What it can't keep, it tells.
import { createMemory, FatalError, GrowableBuffer, type Memory } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'
import { posixKernel } from '@memlayer/ffi'
import { record, type PosixKernel } from '@memlayer/kernel'
import { residentBytes, runChild } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const onLinux = process.platform === 'linux'
const real = onLinux ? posixKernel() : ({} as PosixKernel)
const page = onLinux ? real.pageSize : 4096
const [EPERM, ENOMEM, EINVAL] = [1, 12, 22]
const [MADV_NORMAL, MADV_DONTNEED, MADV_FREE] = [0, 4, 8]

/** The host's kernel, which refuses some advice. */
function refusing(errno: number, ...refused: number[]): PosixKernel {
  return {
    ...real,
    madvise: (v, n, advice) => (refused.includes(advice) ? -errno : real.madvise(v, n, advice)),
    madviseAll: () => -errno,
  }
}

/** 64 pages that were written and given back; and the bytes that they have when they are Ready again. */
function givenBack(memory: Memory): { resident: number; read: Set<number> } {
  const region = memory.reserve(64 * page, { name: 'given back', hugePages: 'off' })
  region.commit()
  region.view(Uint8Array).fill(7)
  region.unused()
  const resident = residentBytes(region.address, region.size, page)
  region.commit()
  const read = new Set(region.view(Uint8Array))
  region.free()
  return { resident, read }
}

describe.skipIf(!onLinux)('pages that the kernel keeps (need Linux)', () => {
  it.each([
    ['EINVAL, as for locked pages', EINVAL],
    ['EPERM, as under a filter', EPERM],
  ])('new pages take their place, and the memory goes: %s', (_, errno) => {
    const memory = createMemory(createOS({ kernel: refusing(errno, MADV_DONTNEED) }))
    expect(givenBack(memory)).toEqual({ resident: 0, read: new Set([0]) })
    expect(memory.stats().kept).toBe(0)
    expect(memory.os.traits.unusedReturnsMemory).toBe(true)

    const buffer = new GrowableBuffer(memory, { maximum: 64 * page, length: 64 * page })
    buffer.bytes().fill(7)
    buffer.discard(page, 32 * page)
    expect(new Set(buffer.bytes().subarray(page, 33 * page))).toEqual(new Set([0]))
    expect(buffer.bytes()[33 * page]).toBe(7)
    buffer.resize(0)
    buffer.resize(64 * page)
    expect(new Set(buffer.bytes())).toEqual(new Set([0]))
    buffer.free()
    memory.check()
  })

  it('zeroes are written where no new pages are to be had, and the account tells of the memory that stays', () => {
    let isFull = false
    const kernel: PosixKernel = {
      ...refusing(EINVAL, MADV_DONTNEED),
      mmap: (...call) => (isFull ? -ENOMEM : real.mmap(...call)),
    }
    const memory = createMemory(createOS({ kernel }))
    const region = memory.reserve(64 * page, { hugePages: 'off' })
    region.commit()
    region.view(Uint8Array).fill(7)
    isFull = true
    region.unused(0, 16 * page)
    region.unusedAll([16 * page, page, 32 * page, page])
    isFull = false
    expect(memory.stats()).toMatchObject({ kept: 18 * page, total: { prepared: 18 * page, ready: 46 * page } })
    expect(memory.os.traits.unusedReturnsMemory).toBe(false)
    region.commit()
    expect(new Set(region.view(Uint8Array, 0, 17 * page))).toEqual(new Set([0]))
    expect(region.view(Uint8Array)[17 * page]).toBe(7)
    region.free()
    memory.check()
  })

  it('a FatalError tells that the kernel has taken the pages and gives no new ones', () => {
    let isBroken = false
    const kernel: PosixKernel = {
      ...real,
      madvise: (...call) =>
        isBroken && [MADV_DONTNEED, MADV_NORMAL].includes(call[2]) ? -EINVAL : real.madvise(...call),
      mmap: (...call) => (isBroken ? -ENOMEM : real.mmap(...call)),
    }
    const memory = createMemory(createOS({ kernel }))
    const region = memory.reserve(page)
    region.commit()
    isBroken = true
    expect(() => region.unused()).toThrow(FatalError)
    isBroken = false
    memory.check()
    region.free()
  })

  it('a refusal that passes is forgotten: locked pages are no property of the kernel', () => {
    let isLocked = true
    const kernel: PosixKernel = {
      ...real,
      madvise: (v, n, advice) =>
        isLocked && [MADV_DONTNEED, MADV_FREE].includes(advice) ? -EINVAL : real.madvise(v, n, advice),
      madviseAll: (ranges, advice) => (isLocked ? -EINVAL : (real.madviseAll?.(ranges, advice) ?? -EINVAL)),
    }
    const recorded = record(kernel)
    const memory = createMemory(createOS({ kernel: recorded.kernel, madvDontNeed: false }))
    const region = memory.reserve(64 * page, { hugePages: 'off' })
    region.commit()
    const give = (): string[] => {
      recorded.take()
      region.unused(0, page)
      region.unusedAll([page, page, 4 * page, page])
      region.commit()
      return recorded.take().flatMap(({ fn, args }) => (fn.startsWith('madvise') ? [`${fn} ${args.at(-1)}`] : []))
    }
    expect(give()).toContain(`madvise ${MADV_DONTNEED}`)
    isLocked = false
    // Neither MADV_FREE nor the batch was given up.
    const later = give()
    expect(later).toContain(`madvise ${MADV_FREE}`)
    expect(later.filter((call) => call === `madvise ${MADV_DONTNEED}`)).toEqual([])
    expect(later.some((call) => call.startsWith('madviseAll'))).toBe(true)
    region.free()
  })

  it.each([
    ['MCL_FUTURE', 2, 0],
    ['MCL_FUTURE | MCL_ONFAULT', 6, 0],
  ])('a process that locks what it maps reads zeroes, and is told once that memory stays: mlockall(%s)', (_, flags) => {
    const child = runChild(
      `
      import { createRequire } from 'node:module'
      import { createMemory } from '@memlayer/core'
      import { createOS } from '@memlayer/os-linux'
      const warnings = []
      process.on('warning', ({ code, message }) => warnings.push([code, message]))
      const koffi = createRequire(import.meta.resolve('@memlayer/ffi'))('@koromix/koffi-linux-' + process.arch)
      // Power has numbers of its own.
      const flags = process.arch === 'ppc64' ? ${flags} * 0x2000 : ${flags}
      const code = koffi.load('libc.so.6').func('mlockall', 'int', ['int'])(flags)
      const memory = createMemory(createOS())
      const page = memory.os.traits.pageSize
      const region = memory.reserve(64 * page)
      region.commit()
      region.view(Uint8Array).fill(7)
      region.unused(0, 32 * page)
      region.unused(32 * page, 8 * page)
      region.commit()
      region.zero(40 * page, 8 * page)
      const read = [0, 100, 31 * page, 47 * page, 48 * page].map((at) => region.view(Uint8Array)[at])
      region.free()
      await new Promise((resolve) => setImmediate(resolve))
      const kept = memory.stats().kept / page
      const returns = memory.os.traits.unusedReturnsMemory
      console.log(JSON.stringify({ code, read, kept, warnings, returns }))
    `,
      { from: import.meta.dirname, nodeArgs: ['--no-warnings'] },
    )
    const told = JSON.parse(child.stdout) as { code: number; kept: number; warnings: string[][]; returns: boolean }
    expect(told).toMatchObject({ code: 0, read: [0, 0, 0, 0, 7] })
    // New pages take the place of unused ones. Zeroed pages stay, because views of them may be in use.
    expect(told).toMatchObject(flags === 6 ? { kept: 8, returns: true } : { kept: 48, returns: false })
    expect(told).toMatchObject({ warnings: [['MEMLAYER_KEPT', expect.any(String)]] })
    expect(told.warnings[0]?.[1]).toContain('madvise answered EINVAL')
  })
})

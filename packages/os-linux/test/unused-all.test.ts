// Many ranges given back at once: what the kernel takes back, and in how many calls. One wrong range among right
// ones leaves all of them as they were.
import { createMemory, FatalError, UsageError, type Region } from '@memlayer/core'
import { createOS, type LinuxOptions } from '@memlayer/os-linux'
import { posixKernel } from '@memlayer/ffi'
import { record, type PosixKernel } from '@memlayer/kernel'
import { residentBytes } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const onLinux = process.platform === 'linux'
const real = onLinux ? posixKernel() : ({} as PosixKernel)
const page = onLinux ? real.pageSize : 4096
const whole = 16_384 * page

/** A region of filled pages, and 512 ranges of one to three of its pages. */
function filled(kernel: PosixKernel, options: LinuxOptions = {}): { region: Region; ranges: number[]; bytes: number } {
  const memory = createMemory(createOS({ kernel, ...options }))
  const region = memory.reserve(whole, { name: 'many' })
  region.commit(0, whole)
  region.view(Uint8Array, 0, whole).fill(1)
  const ranges: number[] = []
  for (let i = 0; i < 512; i++) ranges.push(i * 32 * page, page * (1 + (i % 3)))
  return { region, ranges, bytes: ranges.reduce((sum, n, i) => (i % 2 === 1 ? sum + n : sum), 0) }
}

const options: [string, LinuxOptions][] = [
  ['by default', {}],
  ['with MADV_FREE', { madvDontNeed: false }],
  ['with hard decommit', { hardDecommit: true }],
]

describe.skipIf(!onLinux)('sysUnusedAll on the real kernel (needs Linux)', () => {
  for (const [title, how] of options) {
    it(`gives back the same as one sysUnused per range ${title}`, () => {
      const { region, ranges, bytes } = filled(real, how)
      const { memory } = region
      const before = residentBytes(region.address, region.size, page)
      region.unusedAll(ranges)
      const given = before - residentBytes(region.address, region.size, page)
      // The kernel takes pages after MADV_FREE only when it needs some.
      expect(given).toBe(how.madvDontNeed === false ? 0 : bytes)
      expect(memory.stats().total.prepared).toBe(bytes)
      memory.check()
      for (let i = 0; i < ranges.length; i += 2) region.used(ranges[i] ?? 0, ranges[i + 1] ?? 0)
      if (how.madvDontNeed !== false) expect(region.view(Uint8Array, 0, page).every((byte) => byte === 0)).toBe(true)
      expect(region.view(Uint8Array, 3 * page, page).every((byte) => byte === 1)).toBe(true)
      region.free()
    })
  }

  it('makes two calls for 512 ranges, or one per range on a kernel without batches, asking it once', (context) => {
    const { kernel, take } = record(real)
    const { region, ranges } = filled(kernel)
    take()
    region.unusedAll(ranges)
    const calls = take()
    if (calls.some(({ fn, ret }) => fn === 'madviseAll' && ret < 0))
      context.skip('this kernel is older than Linux 6.13')
    expect(calls.map(({ fn, ret }) => [fn, ret])).toEqual([
      ['madviseAll', 0],
      ['madviseAll', 0],
    ])
    region.free()

    const old = record<PosixKernel>({ ...real, madviseAll: () => -1 })
    const second = filled(old.kernel)
    old.take()
    second.region.unusedAll(second.ranges)
    const found = old.take().map(({ fn, args }) => `${fn} ${args.at(-1)}`)
    expect(found.filter((call) => call === 'madvise 4')).toHaveLength(512)
    for (let i = 0; i < ranges.length; i += 2) second.region.used(ranges[i] ?? 0, ranges[i + 1] ?? 0)
    old.take()
    second.region.unusedAll(second.ranges)
    expect(old.take().some(({ fn }) => fn === 'madviseAll')).toBe(false)
    second.region.free()
  })

  it('makes no call for many ranges where the option batch is false', () => {
    const { kernel, take } = record(real)
    const { region, ranges } = filled(kernel, { batch: false })
    take()
    region.unusedAll(ranges)
    const calls = take().map(({ fn, args }) => `${fn} ${args.at(-1)}`)
    expect(calls.filter((call) => call.startsWith('madviseAll'))).toEqual([])
    expect(calls.filter((call) => call === 'madvise 4')).toHaveLength(512)
    region.free()
  })

  it('advises every range beyond the 1024 of one call, and those after a refused one', () => {
    const { region } = filled(real)
    const v = region.address
    const many = Array.from({ length: 3000 }, (_, i) => [v + i * 2 * page, page]).flat()
    const before = residentBytes(v, region.size, page)
    const answer = real.madviseAll?.(many, 4) ?? -38
    if (answer === 0) {
      expect(before - residentBytes(v, region.size, page)).toBe(3000 * page)
      expect(real.munmap(v + 8000 * page, page)).toBe(0)
      const holed = [v + 7000 * page, page, v + 8000 * page, page, v + 9000 * page, page]
      expect(real.madviseAll?.(holed, 4)).toBe(-12)
      expect(before - residentBytes(v, region.size, page)).toBe(3003 * page)
    } else {
      expect([-1, -22, -38]).toContain(answer)
    }
    region.free()
  })

  it('gives nothing back when one range is wrong, and names it', () => {
    const { region, ranges } = filled(real)
    const { memory } = region
    const view = region.view(Uint8Array, 0, whole)
    const resident = residentBytes(region.address, region.size, page)
    const wrong: [string, number[]][] = [
      ['ERR_MEMLAYER_STATE', [...ranges, ranges[0] ?? 0, page]],
      ['ERR_MEMLAYER_RANGE', [...ranges, whole, page]],
      ['ERR_MEMLAYER_ALIGNMENT', [...ranges, page * 20, 1]],
      ['ERR_MEMLAYER_SIZE', [...ranges, 0]],
      ['ERR_MEMLAYER_RANGE', [...ranges, NaN, page]],
    ]
    for (const [code, all] of wrong) {
      expect(() => region.unusedAll(all)).toThrow(expect.objectContaining({ code }))
      expect(() => region.unusedAll(all)).toThrow(UsageError)
      memory.check()
      expect(memory.stats().total).toMatchObject({ prepared: 0, ready: whole })
      expect(view[0]).toBe(1)
    }
    expect(residentBytes(region.address, region.size, page)).toBe(resident)
    region.free()
  })

  it('leaves the other ranges Ready when the kernel fails half way', () => {
    let calls = 0
    const mmap: PosixKernel['mmap'] = (v, n, prot, flags, fd, offset) =>
      prot === 0 && (flags & 0x10) !== 0 && ++calls === 3 ? -22 : real.mmap(v, n, prot, flags, fd, offset)
    const { region, ranges } = filled({ ...real, mmap }, { hardDecommit: true })
    const { memory } = region
    expect(() => region.unusedAll(ranges)).toThrow(FatalError)
    memory.check()
    expect(memory.stats().total.prepared).toBe((ranges[1] ?? 0) + (ranges[3] ?? 0))
    region.free()
  })
})

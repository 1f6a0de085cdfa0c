// Which parts of a range have memory behind them, by both ways of Linux: PAGEMAP_SCAN, and mincore on a kernel
// before 6.7 that refuses it. The kernel is real. Only its refusal is made up, and swap space, which we do not
// have.
import { posixKernel } from '@memlayer/ffi'
import { residencyBits } from '@memlayer/kernel'
import { describe, expect, it } from 'vitest'
import type { Engine, ForeignFunction } from '../dist/engine.js'
import { linuxPages } from '../dist/linux-pages.js'
import { hostEngine } from '../dist/host-engine.js'

const isLinux = process.platform === 'linux'

/** The host's engine, with a made-up ioctl. */
function engineWith(ioctl: ForeignFunction): Engine {
  const engine = hostEngine()
  return {
    ...engine,
    func: (library, name, result, params) => (name === 'ioctl' ? ioctl : engine.func(library, name, result, params)),
  }
}

const { resident, huge, swapped, partial } = residencyBits
const pages = (words: readonly number[] | null, v: number, page: number): unknown =>
  words === null
    ? null
    : Array.from({ length: words.length / 3 }, (_, i) => [
        ((words[3 * i] as number) - v) / page,
        (words[3 * i + 1] as number) / page,
        words[3 * i + 2],
      ])

describe.skipIf(!isLinux).each([
  ['PAGEMAP_SCAN', () => hostEngine(), resident],
  ['mincore, where PAGEMAP_SCAN is refused', () => engineWith(() => -1), resident | partial],
])('residency by %s', (way, engine, bits) => {
  const isScan = way === 'PAGEMAP_SCAN'

  /** PAGEMAP_SCAN came with Linux 6.7. */
  const open = (context: { skip(note: string): never }): ReturnType<typeof linuxPages> => {
    const call = linuxPages(engine())
    const kernel = posixKernel()
    const v = kernel.mmap(0, kernel.pageSize, 3, 0x22, -1, 0)
    new Uint8Array(kernel.view(v, 1))[0] = 1
    const hasScan = call(v, kernel.pageSize)?.[2] === resident
    kernel.munmap(v, kernel.pageSize)
    return isScan && !hasScan ? context.skip('needs Linux 6.7') : call
  }

  it('tells page by page what was written', (context) => {
    const call = open(context)
    const kernel = posixKernel()
    const { pageSize } = kernel
    const v = kernel.mmap(0, 64 * pageSize, 3, 0x22, -1, 0)
    const bytes = new Uint8Array(kernel.view(v, 64 * pageSize))
    for (const page of [0, 8, 9, 63]) bytes[page * pageSize] = 1
    expect(pages(call(v, 64 * pageSize), v, pageSize)).toEqual([
      [0, 1, bits],
      [8, 2, bits],
      [63, 1, bits],
    ])
    kernel.madvise(v + 8 * pageSize, pageSize, 4)
    expect(pages(call(v, 64 * pageSize), v, pageSize)).toEqual([
      [0, 1, bits],
      [9, 1, bits],
      [63, 1, bits],
    ])
    expect(pages(call(v + 10 * pageSize, 50 * pageSize), v, pageSize)).toEqual([])
    kernel.munmap(v, 64 * pageSize)
  })

  it('continues after one full answer', (context) => {
    const call = open(context)
    const kernel = posixKernel()
    const { pageSize } = kernel
    // More runs than one answer of PAGEMAP_SCAN holds, and more pages than one answer of mincore.
    const n = 3 * 2 ** 16 * pageSize
    const v = kernel.mmap(0, n, 3, 0x22, -1, 0)
    kernel.madvise(v, n, 15)
    const bytes = new Uint8Array(kernel.view(v, n))
    for (let page = 0; page < 20_000; page += 2) bytes[page * pageSize] = 1
    bytes[n - 1] = 1
    const words = call(v, n) ?? []
    expect(words.length / 3).toBe(10_001)
    expect(words.at(-3)).toBe(v + n - pageSize)
    kernel.munmap(v, n)
  })

  it(isScan ? 'has nothing in an unmapped range' : 'is not known when a part is not mapped', (context) => {
    const call = open(context)
    const kernel = posixKernel()
    const { pageSize } = kernel
    const v = kernel.mmap(2 ** 45, 4 * pageSize, 3, 0x22, -1, 0)
    new Uint8Array(kernel.view(v, 4 * pageSize)).fill(1)
    kernel.munmap(v + pageSize, pageSize)
    expect(pages(call(v, 4 * pageSize), v, pageSize)).toEqual(
      isScan
        ? [
            [0, 1, bits],
            [2, 2, bits],
          ]
        : null,
    )
    kernel.munmap(v, 4 * pageSize)
  })
})

it.skipIf(!isLinux)('tells huge pages and swap space apart by the words of PAGEMAP_SCAN', () => {
  const [present, isSwapped, zero, isHuge] = [8n, 16n, 32n, 64n]
  const regions = [
    [0x10000n, 0x12000n, present],
    [0x12000n, 0x13000n, isSwapped],
    [0x13000n, 0x14000n, present | zero],
    [0x200000n, 0x400000n, present | isHuge],
  ] as const
  const engine = engineWith((_fd, _call, at) => {
    const words = new BigUint64Array(hostEngine().view(at, 96 + 24 * regions.length))
    words.set(regions.flat(), 12)
    return regions.length
  })
  const words = linuxPages(engine)(0x10000, 0x400000)
  expect(words).toEqual([0x10000, 0x2000, resident, 0x12000, 0x1000, swapped, 0x200000, 0x200000, resident | huge])
})

// The segment: a break over real pages. The pages above the break can't be touched.
import { plan9Kernel } from '@memlayer/ffi'
import { bytesWith, residentBytes, runChild } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const onLinux = process.platform === 'linux'
const MiB = 2 ** 20

describe.skipIf(!onLinux)('plan9Kernel (witnessed by /proc: needs Linux)', () => {
  it('reserves its range without memory, and makes the pages below the break touchable', () => {
    const kernel = plan9Kernel({ size: 64 * MiB })
    const { end, pageSize } = kernel
    expect(bytesWith('---p', end, 64 * MiB)).toBe(64 * MiB)
    expect(kernel.brk(end + 8 * MiB)).toBe(0)
    expect(bytesWith('rw-p', end, 64 * MiB)).toBe(8 * MiB)
    expect(residentBytes(end, 64 * MiB, pageSize)).toBe(0)
    const bytes = new Uint8Array(kernel.view(end, 8 * MiB))
    expect(bytes.every((byte) => byte === 0)).toBe(true)
    bytes.fill(1)
    expect(residentBytes(end, 8 * MiB, pageSize)).toBe(8 * MiB)
  })

  it('rounds a break up to a page', () => {
    const kernel = plan9Kernel({ size: MiB })
    expect(kernel.brk(kernel.end + 1)).toBe(0)
    expect(bytesWith('rw-p', kernel.end, MiB)).toBe(kernel.pageSize)
  })

  it.each([
    ['past its end', (end: number) => end + MiB + 1],
    ['below its start', (end: number) => end - 4096],
    ['at NaN', () => NaN],
    ['at infinity', () => Infinity],
  ])('refuses a break %s, and keeps the old one', (_, at) => {
    const kernel = plan9Kernel({ size: MiB })
    expect(kernel.brk(kernel.end + 4096)).toBe(0)
    expect(kernel.brk(at(kernel.end))).toBeLessThan(0)
    expect(bytesWith('rw-p', kernel.end, MiB)).toBe(4096)
  })

  it('drops the memory above a falling break, and gives zeroes when it rises again', () => {
    const kernel = plan9Kernel({ size: MiB })
    const { end, pageSize } = kernel
    kernel.brk(end + 4 * pageSize)
    new Uint8Array(kernel.view(end, 4 * pageSize)).fill(7)
    expect(kernel.brk(end + pageSize)).toBe(0)
    expect(bytesWith('rw-p', end, MiB)).toBe(pageSize)
    expect(kernel.brk(end + 6 * pageSize)).toBe(0)
    const bytes = new Uint8Array(kernel.view(end, 6 * pageSize))
    expect(bytes.subarray(0, pageSize).every((byte) => byte === 7)).toBe(true)
    expect(bytes.subarray(pageSize).every((byte) => byte === 0)).toBe(true)
  })

  it('zeroes exactly the bytes that it was asked to', () => {
    const kernel = plan9Kernel({ size: MiB })
    kernel.brk(kernel.end + MiB)
    const bytes = new Uint8Array(kernel.view(kernel.end, MiB)).fill(3)
    kernel.clear(kernel.end + 100, 5000)
    expect(bytes.findIndex((byte) => byte === 0)).toBe(100)
    expect(bytes.findLastIndex((byte) => byte === 0)).toBe(5099)
    expect(bytes.subarray(100, 5100).every((byte) => byte === 0)).toBe(true)
  })

  it('makes a new segment at each call', () => {
    const [one, other] = [plan9Kernel({ size: MiB }), plan9Kernel({ size: MiB })]
    expect(Math.abs(one.end - other.end)).toBeGreaterThanOrEqual(MiB)
    one.brk(one.end + 4096)
    expect(bytesWith('---p', other.end, MiB)).toBe(MiB)
  })

  it('kills a process that reads above the break', () => {
    const child = runChild(
      `
      import { writeSync } from 'node:fs'
      import { plan9Kernel } from '@memlayer/ffi'
      const kernel = plan9Kernel({ size: 2 ** 20 })
      kernel.brk(kernel.end + kernel.pageSize)
      writeSync(1, 'below reads ' + new Uint8Array(kernel.view(kernel.end, 1))[0])
      writeSync(1, ', above ' + new Uint8Array(kernel.view(kernel.end + kernel.pageSize, 1))[0])
      `,
      { from: import.meta.dirname },
    )
    expect(child.stdout).toBe('below reads 0')
    expect(child.signal).toBe('SIGSEGV')
  })

  it('never moves libc’s break', () => {
    const child = runChild(
      `
      import { readFileSync } from 'node:fs'
      import { plan9Kernel, posixKernel } from '@memlayer/ffi'
      const inHeap = (v) => {
        const line = readFileSync('/proc/self/maps', 'latin1').split('\\n').find((one) => one.endsWith('[heap]'))
        const [start, end] = line.split(' ')[0].split('-').map((hex) => Number.parseInt(hex, 16))
        return v >= start && v < end
      }
      const kernel = plan9Kernel()
      for (let i = 1; i <= 64; i++) kernel.brk(kernel.end + i * 2 ** 20)
      console.log(inHeap(kernel.end), inHeap(kernel.end + 2 ** 26 - 1))
      `,
      { from: import.meta.dirname },
    )
    expect(child.stderr).toBe('')
    expect(child.stdout).toBe('false false\n')
  })

  it('takes what a limit on address space leaves, unless a size is given', () => {
    const child = runChild(
      `
      import { plan9Kernel, posixKernel } from '@memlayer/ffi'
      const mapped = () => posixKernel().limits().addressSpaceUsed
      const before = mapped()
      plan9Kernel()
      const GiB = Math.round((mapped() - before) / 2 ** 30)
      let said
      try { plan9Kernel({ size: 2 ** 36 }) }
      catch ({ name, code, errno, message }) { said = { name, code, errno, message } }
      console.log(JSON.stringify({ GiB, ...said }))
      `,
      { from: import.meta.dirname, under: ['prlimit', `--as=${48 * 2 ** 30}`] },
    )
    expect(child.stderr).toBe('')
    expect(JSON.parse(child.stdout)).toEqual({
      GiB: 32,
      name: 'SegmentError',
      code: 'ERR_MEMLAYER_SEGMENT',
      errno: 12,
      message: expect.stringContaining('ulimit -v') as string,
    })
  })

  it.each([0, -0, -4096, 0.5, NaN, Infinity, 2 ** 53, '4096' as unknown as number])(
    'refuses a segment of %o bytes',
    (size) => {
      expect(() => plan9Kernel({ size })).toThrow(RangeError)
    },
  )
})

// The simulated Plan 9: a segment whose end moves.
import { simulate } from '@memlayer/simkernel'
import { describe, expect, it } from 'vitest'

const page = 4096
const end = 0x40_0123

describe('the break', () => {
  it('begins in the page where the data ends, and moves by pages', () => {
    const kernel = simulate('plan9', { layout: { end } })
    expect(kernel).toMatchObject({ end, break: 0x40_1000 })
    kernel.touch(end, 1)
    expect(() => kernel.touch(0x40_1000, 1)).toThrow('is not mapped')
    expect(kernel.brk(0x40_2001)).toBe(0)
    expect(kernel.break).toBe(0x40_3000)
    kernel.touch(0x40_2fff, 1)
  })

  it('gives zeroes, also after it fell and rose again', () => {
    const kernel = simulate('plan9', { layout: { end } })
    kernel.brk(end + 16 * page)
    kernel.write(end + 8 * page, new Uint8Array([7]))
    kernel.brk(end + page)
    expect(() => kernel.touch(end + 8 * page, 1, 'read')).toThrow('is not mapped')
    kernel.brk(end + 16 * page)
    const byte = new Uint8Array([1])
    kernel.read(end + 8 * page, byte)
    expect(byte[0]).toBe(0)
  })

  it('stays where it is when it is refused: below the data, and above the limit', () => {
    const kernel = simulate('plan9', { layout: { end }, limits: { segment: 4 * page } })
    expect(kernel.brk(end - page)).toBe(-1)
    expect(kernel.brk(end + 8 * page)).toBe(-1)
    expect(kernel.break).toBe(0x40_1000)
    expect(kernel.brk(end + 2 * page)).toBe(0)
    expect(kernel.counters).toMatchObject({ calls: { brk: 3 }, refused: 2 })
  })
})

describe('clear', () => {
  it('zeroes bytes, a gigabyte as fast as one byte, and faults past the break', () => {
    const kernel = simulate('plan9', { layout: { end: 0x40_0000 } })
    kernel.brk(0x40_0000 + 2 ** 30)
    const bytes = new Uint8Array(kernel.view(0x40_0000, 16)).fill(7)
    kernel.clear(0x40_0000 + 4, 2 ** 30 - 4)
    expect([...bytes]).toEqual([7, 7, 7, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    expect(() => kernel.clear(0x40_0000 + 2 ** 30, 1)).toThrow('is not mapped and was written')
  })
})

it('takes another limit of the segment', () => {
  const kernel = simulate('plan9', { layout: { end } })
  kernel.setLimits({ segment: 2 * page })
  expect([kernel.brk(end + 2 * page), kernel.brk(end + page)]).toEqual([-1, 0])
})

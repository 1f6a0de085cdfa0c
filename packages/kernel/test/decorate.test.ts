// Decorating a port changes only its calls. Its facts stay the same, and an absent optional member stays absent.
import { failCall, record } from '@memlayer/kernel'
import { describe, expect, it } from 'vitest'
import { otherPorts, PosixPort } from './ports.js'

describe.each([
  ['record', <K extends object>(kernel: K): K => record(kernel).kernel],
  ['failCall', <K extends object>(kernel: K): K => failCall(kernel, 1, 12).kernel],
])('a port decorated by %s', (_, decorated) => {
  it('has the current facts of the port below, also those behind a getter', () => {
    const below = new PosixPort()
    const port = decorated(below)
    expect(port.pageSize).toBe(4096)
    expect(port.hugePageSize).toBe(0)
    below.hugePageSize = 2 ** 21
    expect(port.hugePageSize).toBe(2 ** 21)
    expect(decorated(otherPorts([]))).toMatchObject({ pageSize: 65536, allocationGranularity: 65536, end: 0x10000 })
  })

  it('passes view and limits through, bound to the port below', () => {
    const port = decorated(new PosixPort())
    expect(port.view(0, 3).byteLength).toBe(3)
    expect(() => port.limits()).toThrow('limits was asked')
  })

  it('has no member that the port below lacks', () => {
    const { limits: _limits, ...below } = { ...otherPorts([]), limits: undefined }
    expect(Object.keys(decorated(below)).sort()).toEqual(Object.keys(below).sort())
    expect('limits' in decorated(otherPorts([]))).toBe(false)
  })

  it('leaves the port below as it was', () => {
    const below = Object.freeze(otherPorts([]))
    expect(() => decorated(below)).not.toThrow()
  })
})

it('keeps the arguments and the this of a call, also of a detached function', () => {
  const below = new PosixPort(5)
  const { munmap } = record(below).kernel
  expect(munmap(4096, 8192)).toBe(5)
  expect(below.asked).toEqual(['munmap(4096, 8192)'])
})

it('a call over many ranges is recorded with numbers alone, and gets its list again below', () => {
  const asked: unknown[] = []
  const madviseAll = (ranges: ArrayLike<number>, advice: number): number => asked.push([ranges, advice]) - 1
  const { kernel, calls } = record(failCall({ madviseAll }, 2, 12).kernel)
  const ranges = Float64Array.of(4096, 8192, 65536, 4096)
  expect([kernel.madviseAll(ranges, 4), kernel.madviseAll(ranges, 4)]).toEqual([0, -12])
  expect(asked).toEqual([[[...ranges], 4]])
  expect(calls).toEqual([
    { fn: 'madviseAll', args: [...ranges, 4], ret: 0 },
    { fn: 'madviseAll', args: [...ranges, 4], ret: -12 },
  ])
})

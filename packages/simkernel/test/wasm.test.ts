// The simulated WebAssembly memory. It grows, its buffer with it, and gives nothing back.
import { simulate } from '@memlayer/simkernel'
import { describe, expect, it } from 'vitest'

const PAGE = 65536

describe('a simulated memory', () => {
  it('grows up to its maximum, and no further', () => {
    const kernel = simulate('wasm', { layout: { end: 0x2345, pages: 4 }, limits: { pages: 10 } })
    expect(kernel).toMatchObject({ end: 0x2345, maximum: 10, pageSize: PAGE, address: 'i32' })
    expect([kernel.currentMemory(), kernel.growMemory(6), kernel.growMemory(1), kernel.currentMemory()]).toEqual([
      4, 4, -1, 10,
    ])
    kernel.resetMemoryDataView()
    expect(kernel.counters.calls).toEqual({ currentMemory: 2, growMemory: 2, resetMemoryDataView: 1 })
  })

  it('has one buffer for all ranges, which only growth can detach', () => {
    const kernel = simulate('wasm')
    const buffer = kernel.view(0, 8)
    expect(kernel.view(PAGE, PAGE)).toBe(buffer)
    new Uint8Array(buffer)[100] = 7
    expect(() => ArrayBuffer.prototype.transfer.call(buffer, 0)).toThrow(TypeError)
    kernel.growMemory(1)
    expect(buffer.detached).toBe(true)
    expect(new Uint8Array(kernel.view(0, 8))[100]).toBe(7)
  })

  it('copies bytes, and faults past its end', () => {
    const kernel = simulate('wasm', { layout: { pages: 1 } })
    kernel.write(PAGE - 2, new Uint8Array([1, 2]))
    const two = new Uint8Array(2)
    kernel.read(PAGE - 2, two)
    expect([...two]).toEqual([1, 2])
    expect(() => kernel.read(PAGE - 1, two)).toThrow('is past the end of the memory')
    expect(() => kernel.write(PAGE, two)).toThrow('is past the end of the memory')
  })

  it('gives pages back only with the option discards', () => {
    expect(simulate('wasm').discard).toBeUndefined()
    const kernel = simulate('wasm', { discards: true })
    new Uint8Array(kernel.view(0, 0)).fill(7)
    expect([kernel.discard?.(PAGE, PAGE), kernel.discard?.(1, PAGE), kernel.discard?.(0, 2 ** 32)]).toEqual([0, -1, -1])
    const bytes = new Uint8Array(kernel.view(0, 0))
    expect([bytes[PAGE - 1], bytes[PAGE], bytes[2 * PAGE - 1], bytes[2 * PAGE]]).toEqual([7, 0, 0, 7])
  })
  it('counts a discarded page as memory again once it is touched, or holds a byte', () => {
    const kernel = simulate('wasm', { discards: true })
    const resident = (): number => kernel.residence(0, 4 * PAGE).resident
    expect(kernel.discard?.(PAGE, 3 * PAGE)).toBe(0)
    expect(resident()).toBe(PAGE)
    expect(kernel.residence(PAGE + 8, PAGE).resident).toBe(0)
    new Uint8Array(kernel.view(0, 0))[2 * PAGE - 1] = 1
    expect(resident()).toBe(2 * PAGE)
    kernel.touch(2 * PAGE, 1, 'read')
    expect(resident()).toBe(2 * PAGE)
    kernel.touch(2 * PAGE, 1)
    expect(resident()).toBe(3 * PAGE)
  })
})

it('takes a lower maximum later, and never a higher one than it was made with', () => {
  const kernel = simulate('wasm', { layout: { pages: 4 }, limits: { pages: 10 } })
  kernel.setLimits({ pages: 5 })
  expect([kernel.maximum, kernel.growMemory(2), kernel.growMemory(1)]).toEqual([5, -1, 4])
  kernel.setLimits({ pages: 20 })
  expect(kernel.maximum).toBe(10)
})

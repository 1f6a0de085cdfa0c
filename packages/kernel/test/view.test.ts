// What callers of view() rely on, on every kernel.
import { beforeDetach, detachView, isDetached, viewOffset } from '@memlayer/kernel'
import { describe, expect, it } from 'vitest'

describe('viewOffset', () => {
  it('is 0 in a buffer of the range, and the address in a buffer of the whole memory', () => {
    expect(viewOffset(new ArrayBuffer(64), 0x7000_0000, 64)).toBe(0)
    expect(viewOffset(new ArrayBuffer(65536), 4096, 64)).toBe(4096)
  })
})

describe('detachView', () => {
  it('leaves length 0 and nothing to read in a buffer that a caller kept', () => {
    const buffer = new ArrayBuffer(16)
    const bytes = new Uint8Array(buffer).fill(7)
    detachView(buffer)
    expect([buffer.detached, bytes.length, bytes[0]]).toEqual([true, 0, undefined])
  })

  it('first lets a kernel save the bytes that it keeps in the buffer, once', () => {
    const buffer = new ArrayBuffer(4)
    new Uint8Array(buffer).fill(7)
    const saved: number[][] = []
    beforeDetach(buffer, () => saved.push([...new Uint8Array(buffer)]))
    detachView(buffer)
    expect(saved).toEqual([[7, 7, 7, 7]])
  })

  it('detaches although the buffer has a transfer method of its own', () => {
    const buffer = new ArrayBuffer(16)
    Object.defineProperty(buffer, 'transfer', {
      value: () => {
        throw new Error('refused')
      },
    })
    detachView(buffer)
    expect(buffer.detached).toBe(true)
  })

  it('asks the engine whether a buffer is detached, not the buffer, where its user can write', () => {
    const buffer = new ArrayBuffer(16)
    let asked = 0
    Object.defineProperty(buffer, 'detached', { get: () => (asked += 1) > 0 })
    expect(isDetached(buffer)).toBe(false)
    detachView(buffer)
    expect([isDetached(buffer), asked]).toEqual([true, 0])
    expect(isDetached(new SharedArrayBuffer(16) as unknown as ArrayBuffer)).toBe(false)
  })

  it('runs the kernel’s hook, and no function that is written on the buffer', () => {
    const buffer = new ArrayBuffer(4)
    let ran = 0
    Object.defineProperty(buffer, Symbol.for('memlayer.beforeDetach'), { value: () => (ran += 1) })
    detachView(buffer)
    expect(ran).toBe(0)
  })
})

// Advice on buffers that exist, of every kind that has pages: what goes back, what stays, and what other code does to
// the buffer meanwhile.
import { OutOfMemoryError, UsageError } from '@memlayer/core'
import { posixKernel } from '@memlayer/ffi'
import { adopt } from '@memlayer/os-engine'
import { errorOf } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'
import { bufferOf, kinds, Memory, size, wasmPages } from './made-buffers.js'

describe.skipIf(process.platform !== 'linux')('adopt (needs Linux)', () => {
  const { pageSize } = posixKernel()

  describe.each(Object.entries(kinds))('of %s', (_, make) => {
    it('gives whole pages back, which read zero, and leaves every byte beside them', () => {
      const made = make()
      const bytes = new Uint8Array(bufferOf(made)).fill(7)
      const adopted = adopt(made)
      expect(adopted.size).toBe(size)
      expect(adopted.resident()).toBeGreaterThanOrEqual(size)
      const [from, length] = [3 * pageSize + 5, 100 * pageSize]
      const given = adopted.unused(from, length)
      expect(given).toBe(99 * pageSize)
      const first = bytes.indexOf(0)
      expect(first).toBeGreaterThanOrEqual(from)
      expect(first).toBeLessThan(from + pageSize)
      expect(bytes.subarray(first, first + given).every((byte) => byte === 0)).toBe(true)
      expect([...bytes].filter((byte) => byte === 7).length).toBe(size - given)
      expect(adopted.resident(first, given)).toBe(0)
    })

    it('zeroes exactly a range, with its parts of pages', () => {
      const made = make()
      const bytes = new Uint8Array(bufferOf(made)).fill(7)
      const adopted = adopt(made)
      for (const [from, length] of [
        [10, 20],
        [3 * pageSize + 5, 10 * pageSize],
        [40 * pageSize - 1, 2],
      ] as const) {
        adopted.zero(from, length)
        expect(bytes.indexOf(0)).toBe(from)
        expect(bytes.lastIndexOf(0)).toBe(from + length - 1)
        expect(bytes.subarray(from, from + length).every((byte) => byte === 0)).toBe(true)
        bytes.fill(7)
      }
    })

    it('populates pages and advises huge ones, which keep their bytes; released, it lets the buffer be', () => {
      const made = make()
      const bytes = new Uint8Array(bufferOf(made))
      const adopted = adopt(made)
      adopted.hugePage()
      adopted.hugePage(0, size, false)
      bytes[5] = 3
      expect(adopted.populate()).toBe(true)
      // A fixed buffer of V8 begins within a page, so the range may touch a page more.
      expect(adopted.resident(pageSize, size - 2 * pageSize)).toBeGreaterThanOrEqual(size - 2 * pageSize)
      expect(bytes[5]).toBe(3)
      adopted.release()
      expect([adopted.size, adopted.released, bytes[5]]).toEqual([0, true, 3])
      expect(errorOf(() => adopted.unused(0, 0))).toMatchObject({ code: 'ERR_MEMLAYER_DISPOSED' })
    })
  })

  it('sees growth, and where the bytes are then', () => {
    const memory = new Memory({ initial: wasmPages, maximum: 4 * wasmPages })
    const adopted = adopt(memory)
    new Uint8Array(memory.buffer).fill(1)
    memory.grow(wasmPages)
    expect(adopted.size).toBe(2 * size)
    new Uint8Array(memory.buffer, size).fill(2)
    expect(adopted.unused(size, size)).toBe(size)
    const after = new Uint8Array(memory.buffer)
    expect([after[size - 1], after[size]]).toEqual([1, 0])
  })

  it('refuses what was moved to another buffer, which keeps its bytes', () => {
    const buffer = new ArrayBuffer(size)
    new Uint8Array(buffer).fill(7)
    const adopted = adopt(buffer, { name: 'mine' })
    const moved = buffer.transfer()
    const error = errorOf(() => adopted.unused())
    expect(error).toBeInstanceOf(UsageError)
    expect(error).toMatchObject({ code: 'ERR_MEMLAYER_DISPOSED', message: expect.stringContaining("'mine'") as string })
    expect(new Uint8Array(moved).every((byte) => byte === 7)).toBe(true)
  })

  it.each([
    ['a range beyond the end', -1, size],
    ['a negative length', 0, -1],
    ['half a byte', 0.5, 1],
  ])('refuses %s before any effect', (_, offset, length) => {
    const buffer = new SharedArrayBuffer(size)
    const bytes = new Uint8Array(buffer).fill(7)
    const adopted = adopt(buffer)
    for (const call of ['unused', 'zero', 'populate', 'hugePage', 'resident'] as const) {
      expect(errorOf(() => adopted[call](offset === -1 ? 1 : offset, length))).toMatchObject({
        code: 'ERR_MEMLAYER_RANGE',
      })
    }
    expect(bytes.every((byte) => byte === 7)).toBe(true)
  })

  it.each([
    ['null', null],
    ['a number', 5],
    ['a view', new Uint8Array(8)],
    ['an object without a buffer', {}],
  ])('refuses %s', (_, value) => {
    expect(errorOf(() => adopt(value as never))).toMatchObject({ code: 'ERR_MEMLAYER_OPTION' })
  })

  it('zeroes by hand what the kernel keeps, says that nothing went back, and has no memory to populate', () => {
    const kernel = { ...posixKernel(), madvise: () => -12 }
    const buffer = new SharedArrayBuffer(size)
    const bytes = new Uint8Array(buffer).fill(7)
    const adopted = adopt(buffer, { kernel })
    expect(adopted.unused()).toBe(0)
    adopted.zero()
    expect(bytes.every((byte) => byte === 0)).toBe(true)
    expect(errorOf(() => adopted.populate())).toBeInstanceOf(OutOfMemoryError)
  })

  it('trims by no allocator that is none, and frees every block where malloc throws', () => {
    const adopted = adopt(new Memory({ initial: wasmPages }))
    for (const wrong of [{ malloc: 1 }, {}, 5, null, undefined])
      expect(errorOf(() => adopted.trim(wrong as never))).toMatchObject({ code: 'ERR_MEMLAYER_OPTION' })
    const [taken, freed]: [number[], number[]] = [[], []]
    let left = 3
    const malloc = (n: number): number => {
      if (left === 0) throw new Error('trap')
      left -= 1
      taken.push(n * (left + 1))
      return n * (left + 1)
    }
    const given = adopted.trim({ malloc, free: (p) => void freed.push(p) })
    expect(taken.length).toBe(3)
    expect(freed).toEqual(taken.toReversed())
    expect(given).toBeGreaterThan(0)
  })
})

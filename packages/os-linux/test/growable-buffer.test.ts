// A buffer that grows in place, on real pages.
import { createMemory, FatalError, GrowableBuffer, OutOfMemoryError, UsageError } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'
import { posixKernel } from '@memlayer/ffi'
import { residentBytes } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const MiB = 2 ** 20
const page = process.platform === 'linux' ? posixKernel().pageSize : 4096

for (const madvDontNeed of [true, false]) {
  describe.skipIf(process.platform !== 'linux')(
    `a growable buffer with madvDontNeed ${madvDontNeed} (needs Linux)`,
    () => {
      const memory = createMemory(createOS({ madvDontNeed }))

      it('grows to 512 MiB in place, with its address, its contents and its first view', () => {
        using buffer = new GrowableBuffer(memory, { maximum: 2 ** 30, name: 'grows' })
        const { address } = buffer
        buffer.resize(16)
        const first = buffer.view(Uint32Array, 0, 4)
        first[0] = 42
        for (let size = 4 * MiB; size <= 512 * MiB; size += 4 * MiB) {
          buffer.resize(size)
          buffer.view(Uint8Array, size - 8, 8)[0] = 1
        }
        first[1] = 43
        expect(buffer.address).toBe(address)
        expect([...buffer.view(Uint32Array, 0, 2)]).toEqual([42, 43])
        expect(buffer.bytes().length).toBe(512 * MiB)
        expect(memory.stats().categories['grows']?.ready).toBe(512 * MiB)
      })

      it('gives its tail back, and reads zero after it grows again', () => {
        using buffer = new GrowableBuffer(memory, { maximum: 64 * MiB, length: 8 * MiB })
        buffer.bytes().fill(0xff)
        expect(residentBytes(buffer.address, 64 * MiB, page)).toBe(8 * MiB)
        buffer.resize(page + 10)
        expect(buffer.capacity).toBe(2 * page)
        if (madvDontNeed) expect(residentBytes(buffer.address, 64 * MiB, page)).toBe(2 * page)
        // An older view over the page that stays may still write beyond the end.
        buffer.resize(8 * MiB)
        const bytes = buffer.bytes()
        expect(bytes.subarray(0, page + 10).every((byte) => byte === 0xff)).toBe(true)
        expect(bytes.subarray(page + 10).every((byte) => byte === 0)).toBe(true)
      })

      it('punches holes that read zero, and keeps the bytes beside them', () => {
        using buffer = new GrowableBuffer(memory, { maximum: 4 * MiB, length: 4 * MiB })
        buffer.bytes().fill(7)
        const beside = buffer.view(Uint8Array, 2 * MiB, 10)
        buffer.discard(100, MiB)
        expect(beside[0]).toBe(7)
        const bytes = buffer.bytes()
        expect(bytes.subarray(0, 100).every((byte) => byte === 7)).toBe(true)
        expect(bytes.subarray(100, 100 + MiB).every((byte) => byte === 0)).toBe(true)
        expect(bytes.subarray(100 + MiB).every((byte) => byte === 7)).toBe(true)
        if (madvDontNeed) {
          buffer.discard(0, 4 * MiB)
          expect(residentBytes(buffer.address, 4 * MiB, page)).toBe(0)
        }
        buffer.discard(5, 6)
        memory.check()
      })

      it('refuses wrong lengths, and keeps its own', () => {
        using buffer = new GrowableBuffer(memory, { maximum: MiB, length: 10 })
        for (const length of [-1, MiB + 1, 0.5, NaN, '5']) {
          expect(() => buffer.resize(length as number)).toThrow(expect.objectContaining({ code: 'ERR_MEMLAYER_SIZE' }))
        }
        expect(buffer.length).toBe(10)
        expect(() => buffer.view(Uint8Array, 5, 6)).toThrow(expect.objectContaining({ code: 'ERR_MEMLAYER_RANGE' }))
        expect(() => buffer.discard(0, 11)).toThrow(UsageError)
        expect(() => new GrowableBuffer(memory, { maximum: 0 })).toThrow(UsageError)
        expect(() => new GrowableBuffer(memory, { maximum: 10, length: 11 })).toThrow(UsageError)
      })

      it('leaves nothing mapped when it is freed, also the second time', () => {
        const before = memory.stats().total
        const buffer = new GrowableBuffer(memory, { maximum: MiB, length: 10 })
        const view = buffer.bytes()
        buffer.free()
        buffer.free()
        expect([view.length, buffer.length, buffer.capacity]).toEqual([0, 0, 0])
        expect(memory.stats().total).toMatchObject({
          ready: before.ready,
          prepared: before.prepared,
          reserved: before.reserved,
        })
        expect(memory.regions()).toEqual([])
        memory.check()
      })
    },
  )
}

describe.skipIf(process.platform !== 'linux')(
  'a growable buffer whose pages lose their permissions (needs Linux)',
  () => {
    const memory = (): ReturnType<typeof createMemory> => createMemory(createOS({ hardDecommit: true }))

    it('takes no memory to zero, and can use a range that it lost as soon as the OS has memory', () => {
      const bounded = memory()
      using buffer = new GrowableBuffer(bounded, { maximum: 64 * page, length: 8 * page })
      buffer.bytes().fill(7)
      const { os } = bounded
      const sysUsedOS = os.sysUsedOS.bind(os)
      os.sysUsedOS = () => {
        throw new FatalError('out of memory', { syscall: 'mmap', errno: 12, errnoName: 'ENOMEM' })
      }
      buffer.zero(100, 3 * page)
      buffer.resize(5 * page)
      expect(() => buffer.resize(8 * page)).toThrow(OutOfMemoryError)
      expect(buffer.bytes().length).toBe(5 * page)
      os.sysUsedOS = sysUsedOS
      const bytes = buffer.bytes()
      expect(
        [...bytes].map((byte, i) => (i >= 100 && i < 100 + 3 * page ? byte === 0 : byte === 7)).indexOf(false),
      ).toBe(-1)
      buffer.resize(64 * page)
      buffer.resize(0)
      bounded.check()
    })

    it('loses nothing when a hold keeps its pages from being zeroed', () => {
      using buffer = new GrowableBuffer(memory(), { maximum: 16 * page, length: 8 * page })
      buffer.bytes().fill(7)
      using _ = buffer.region.hold(page, page)
      expect(() => buffer.discard(100, 3 * page)).toThrow(expect.objectContaining({ code: 'ERR_MEMLAYER_SHARED' }))
      expect(buffer.bytes().every((byte) => byte === 7)).toBe(true)
    })

    it('keeps the contents of Ready pages when a commit covers them', () => {
      using region = memory().reserve(4 * page)
      region.commit(page, page)
      const view = region.view(Uint8Array, page, page).fill(9)
      region.commit(0, 4 * page)
      expect([view.length, view.every((byte) => byte === 9)]).toEqual([page, true])
    })
  },
)

it.skipIf(process.platform !== 'linux')('maps nothing for a wrong commit (needs Linux)', () => {
  const memory = createMemory(createOS())
  using region = memory.reserve(4 * page, { name: 'wrong' })
  region.map(page, page)
  expect(() => region.commit(0, page + 100)).toThrow(expect.objectContaining({ code: 'ERR_MEMLAYER_ALIGNMENT' }))
  expect([memory.stat('wrong').load(), memory.ranges().map(({ size }) => size)]).toEqual([page, [page, page, 2 * page]])
})

it.skipIf(process.platform !== 'linux').each([-1, -page, NaN, 0.5, '7', undefined])(
  'refuses to grow by %s bytes (needs Linux)',
  (bytes) => {
    using buffer = new GrowableBuffer(createMemory(createOS()), { maximum: 4 * page, length: page })
    expect(() => buffer.grow(bytes as number)).toThrow(
      expect.objectContaining({
        code: 'ERR_MEMLAYER_SIZE',
        message: expect.stringContaining('the number of bytes is') as string,
      }),
    )
    expect(buffer.length).toBe(page)
  },
)

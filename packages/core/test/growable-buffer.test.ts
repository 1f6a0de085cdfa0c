// Tests a growable buffer when the OS happens to return an aligned address. The region is then larger than the buffer.
// os-linux tests the buffer on real pages.
import { createMemory, FatalError, GrowableBuffer } from '@memlayer/core'
import { expect, it } from 'vitest'
import { PageOS } from './page-os.js'

const page = 4096

it('has the requested maximum in whole pages, although it has more address space', () => {
  const memory = createMemory(new PageOS({ traits: { hugePageSize: 16 * page } }))
  using buffer = new GrowableBuffer(memory, { maximum: 40 * page - 1, hugePages: 'on' })
  expect(buffer.region.size).toBe(56 * page)
  expect(buffer.maximum).toBe(40 * page)
  buffer.resize(40 * page)
  for (const grow of [() => buffer.grow(1), () => buffer.resize(41 * page)]) {
    expect(grow).toThrow(expect.objectContaining({ code: 'ERR_MEMLAYER_SIZE' }))
  }
  expect([buffer.length, buffer.capacity, memory.stats().total.ready]).toEqual([40 * page, 40 * page, 40 * page])
})

it.each([undefined, null, {}, 1, { maximum: 65536 }, new PageOS()])(
  'names a first argument that is not a memory',
  (memory) => {
    const make = (): unknown => new GrowableBuffer(memory as never, { maximum: 65536 })
    expect(make).toThrow(expect.objectContaining({ code: 'ERR_MEMLAYER_OPTION' }))
    expect(make).toThrow(/^GrowableBuffer: the memory is .*new GrowableBuffer\(memory, \{ maximum \}\)\.$/)
  },
)

it('has no bytes when its region was freed from under it', () => {
  const buffer = new GrowableBuffer(createMemory(new PageOS()), { maximum: 65536, length: 5000 })
  buffer.region.free()
  expect([buffer.length, buffer.capacity]).toEqual([0, 0])
  buffer.free()
})

it('takes only what was zeroed back from the OS, because the kernel may fill huge pages that are asked for', () => {
  const os = new PageOS({ traits: { hugePageSize: 4 * page } })
  const memory = createMemory(os)
  using buffer = new GrowableBuffer(memory, { maximum: 64 * page, length: 64 * page })
  const used = (): string[] => os.calls.filter((call) => call.startsWith('sysUsedOS'))
  const before = used().length
  const text = (at: number, pages: number): string =>
    `sysUsedOS(0x${(buffer.address + at * page).toString(16)}, ${pages * page})`
  buffer.zero(8 * page, 2 * page)
  buffer.discard(20 * page, 3 * page)
  expect(used().slice(before)).toEqual([text(8, 2), text(20, 3)])
  memory.check()
})

it('mends all that a shrink gave back before the OS refused', () => {
  const os = new PageOS()
  const memory = createMemory(os)
  using buffer = new GrowableBuffer(memory, { maximum: 64 * page, length: 64 * page })
  os.fate = (fn) => (fn === 'sysUnusedOS' ? new FatalError('no', { op: 'sysUnused', unsettled: true }) : undefined)
  for (const length of [40, 10]) expect(() => buffer.resize(length * page)).toThrow(FatalError)
  expect(memory.stats().total).toMatchObject({ ready: 10 * page, prepared: 54 * page })
  os.fate = undefined
  expect(buffer.bytes().length).toBe(64 * page)
  expect(memory.stats().total).toMatchObject({ ready: 64 * page, prepared: 0 })
})

it('counts the pages that its step needs, where many buffers are small', () => {
  const memory = createMemory(new PageOS())
  const buffers = Array.from(
    { length: 4 },
    () => new GrowableBuffer(memory, { maximum: 32 * page, length: page, step: 1 }),
  )
  expect(memory.stats().total.ready).toBe(4 * page)
  const [buffer] = buffers as [GrowableBuffer]
  buffer.grow(1)
  expect(buffer.capacity).toBe(2 * page)
  for (const one of buffers) one.free()
  using steps = new GrowableBuffer(memory, { maximum: 64 * page, step: 3 * page })
  steps.resize(4 * page)
  expect(steps.capacity).toBe(6 * page)
  steps.resize(64 * page)
  expect([steps.capacity, memory.stats().total.ready]).toEqual([64 * page, 64 * page])
  memory.check()
})

it.each([0, -1, 1.5, NaN, Infinity, '4096', null])('refuses a step of %s before any effect', (step) => {
  const memory = createMemory(new PageOS())
  const make = (): unknown => new GrowableBuffer(memory, { maximum: 65536, step: step as never })
  expect(make).toThrow(expect.objectContaining({ code: 'ERR_MEMLAYER_SIZE' }))
  expect(make).toThrow(/^GrowableBuffer: the step is .* Pass a whole number of bytes from 1 to /)
  expect(memory.stats().total.reserved).toBe(0)
})

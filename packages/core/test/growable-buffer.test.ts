// Tests a growable buffer when the OS happens to return an aligned address. The region is then larger than the buffer.
// os-linux tests the buffer on real pages.
import { createMemory, GrowableBuffer } from '@memlayer/core'
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

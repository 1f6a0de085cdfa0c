// A growable buffer where the OS happens to answer aligned: its region is larger than it. On real pages it is
// tested in os-linux.
import { createMemory, GrowableBuffer } from '@memlayer/core'
import { expect, it } from 'vitest'
import { PageOS } from './page-os.js'

const page = 4096

it('has the maximum that was asked for, in whole pages, though there is more address space', () => {
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

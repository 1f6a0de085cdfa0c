// A view whose detach throws: it is still known, so no later operation takes its pages from under it.
import { createMemory } from '@memlayer/core'
import { detachView } from '@memlayer/kernel'
import { expect, it } from 'vitest'
import { PageOS } from './page-os.js'

const page = 4096

it.each(['sysUnused', 'sysFault', 'sysFree', 'sysUnusedAll'] as const)('is ended by the next %s', (op) => {
  let throws = true
  const os = Object.assign(new PageOS(), {
    detach: (buffer: ArrayBuffer) => {
      if (throws) throw new Error('not now')
      detachView(buffer)
    },
  })
  const memory = createMemory(os)
  const v = memory.sysAlloc(2 * page, null)
  const views = [memory.view(Uint8Array, v, page), memory.view(Uint8Array, v + page, page)]
  const take = (): void => {
    if (op === 'sysUnusedAll') memory.sysUnusedAll([v, 2 * page])
    else if (op === 'sysFree') memory.sysFree(v, 2 * page, null)
    else memory[op](v, 2 * page)
  }
  const before = memory.ranges()
  expect(take).toThrow('not now')
  expect([memory.ranges(), views.map(({ length }) => length)]).toEqual([before, [page, page]])
  throws = false
  take()
  expect(views.map(({ length }) => length)).toEqual([0, 0])
  memory.check()
})

it('a refusal that something left behind is not taken for the answer to a free', () => {
  const os = new PageOS()
  const memory = createMemory(os)
  const v = memory.sysAlloc(page, null)
  os.refusal = { hint: 'stale', syscall: 'mmap', errno: 12, errnoName: 'ENOMEM' }
  memory.sysFree(v, page, null)
  expect(memory.ranges()).toEqual([])
})

// Tests observers that want events only at times, for example a channel without subscribers.
import { createMemory, type MemoryEvent } from '@memlayer/core'
import { expect, it } from 'vitest'
import { PageOS } from './page-os.js'

it('makes no event while no observer wants one, and makes events as soon as one does', () => {
  const memory = createMemory(new PageOS())
  const heard: MemoryEvent[] = []
  let asked = 0
  let wants = false
  const end = memory.observe((event) => heard.push(event), { wanted: () => ((asked += 1), wants) })
  const v = memory.sysReserve(null, memory.os.traits.pageSize)
  expect([asked, heard.length]).toEqual([1, 0])
  wants = true
  memory.sysFree(v, memory.os.traits.pageSize, null)
  expect(heard.map(({ op }) => op)).toEqual(['sysFree'])
  end()
  memory.sysReserve(null, memory.os.traits.pageSize)
  expect(heard).toHaveLength(1)
  expect(asked).toBe(2)
})

it('treats an error of `wanted` as a no, and reports it like an error of the observer', async () => {
  const memory = createMemory(new PageOS())
  const broken = new Error('wanted')
  const runners = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  const rejected: unknown[] = []
  process.on('unhandledRejection', (reason) => rejected.push(reason))
  memory.observe(() => {}, {
    wanted: () => {
      throw broken
    },
  })
  const heap = memory.stat('heap')
  const v = memory.sysAlloc(memory.os.traits.pageSize, heap)
  expect(memory.stats().total).toMatchObject({ ready: memory.os.traits.pageSize, calls: 1 })
  memory.sysFree(v, memory.os.traits.pageSize, heap)
  await new Promise((done) => setImmediate(done))
  process.removeAllListeners('unhandledRejection')
  for (const listener of runners) process.on('unhandledRejection', listener)
  expect(rejected).toEqual([broken, broken])
})

it('refuses a `wanted` that is not a function, and unknown options', () => {
  for (const options of [{ wanted: 5 }, { wanted: 'yes' }, { wanted: null }, { want: () => true }, () => true, null]) {
    expect(() => createMemory(new PageOS()).observe(() => {}, options as never)).toThrow(
      expect.objectContaining({ code: 'ERR_MEMLAYER_OPTION' }),
    )
  }
})

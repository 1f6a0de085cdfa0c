// Observers that listen only at times: a channel that has no subscribers, say.
import { createMemory, type MemoryEvent } from '@memlayer/core'
import { expect, it } from 'vitest'
import { PageOS } from './page-os.js'

it('makes no event while no observer wants one, and tells all once one does', () => {
  const memory = createMemory(new PageOS())
  const heard: MemoryEvent[] = []
  let asked = 0
  let wants = false
  const end = memory.observe((event) => heard.push(event), () => ((asked += 1), wants))
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

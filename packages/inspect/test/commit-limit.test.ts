// The limit that the inspector shows on Windows: the commit limit, where nothing bounds the process's memory.
import { createMemory } from '@memlayer/core'
import { drawTerminal, takeSnapshot } from '@memlayer/inspect'
import { createOS } from '@memlayer/os-windows'
import { simulate } from '@memlayer/simkernel'
import { afterEach, expect, it, vi } from 'vitest'

const GiB = 2 ** 30

afterEach(() => vi.restoreAllMocks())

it.each([
  ['the commit limit, where no group bounds the process', 0, 6 * GiB],
  ['the limit of its group, where it has one', GiB, GiB],
])('is %s', (_, constrained, limit) => {
  vi.spyOn(process, 'constrainedMemory').mockReturnValue(constrained)
  const memory = createMemory(createOS({ kernel: simulate('windows', { limits: { commit: 6 * GiB } }) }))
  const snapshot = takeSnapshot(memory)
  expect(snapshot.process?.limit).toBe(limit)
  expect(drawTerminal(snapshot, 100, false).join('\n')).toContain(`limit ${limit / GiB} GiB`)
})

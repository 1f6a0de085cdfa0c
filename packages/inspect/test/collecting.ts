// Collects garbage, for tests of regions that are dropped.
import { setTimeout as after } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Memory } from '@memlayer/core'
import { expect } from 'vitest'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Collects until so many regions of a memory are known to have leaked. */
export async function untilLeaked(memory: Memory, count: number): Promise<void> {
  await expect
    .poll(
      async () => {
        await after(20)
        collect()
        return memory.leaks().length
      },
      { timeout: 20_000 },
    )
    .toBeGreaterThanOrEqual(count)
}
